//! Enums whose values have stable names: in the API, in files, in stored rows.

/// Declares an enum with `ALL`, its values in their order, `name`, and `from_name`.
macro_rules! named {
    ($(#[$doc:meta])* pub enum $Enum:ident { $($(#[$value_doc:meta])* $Value:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Enum {
            $($(#[$value_doc])* $Value,)*
        }

        impl $Enum {
            /// Every value, in the order in which they are shown.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$Value),*];

            /// The name in the API, in files and in stored rows.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Value => $name,)*
                }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.name() == name)
            }
        }
    };
}
pub(crate) use named;
