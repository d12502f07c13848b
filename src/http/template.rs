//! Small HTML documents with named gaps, `{{name}}`.

/// The template with its gaps filled by `find`, in one pass: what is filled in is not searched for gaps. A gap that
/// `find` does not know is left as it is. The values go in as they are, so text must be escaped before.
pub(super) fn fill(template: &str, find: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        match after.split_once("}}").and_then(|(name, after)| Some((find(name)?, after))) {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}
