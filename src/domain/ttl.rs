//! Lengths of time, as people write them: how long a token lives, how long a deleted person can be restored.

use chrono::Duration;

/// The longest time, in days.
const MOST_DAYS: i64 = 366;

/// The text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTtl {
    /// It is no number with a unit.
    #[error("must be a whole number of seconds, minutes, hours or days, such as 90s, 30m, 1h or 7d")]
    Form,
    /// It is nothing.
    #[error("must be at least 1s")]
    Zero,
    /// It is longer than anything may last.
    #[error("must be at most {MOST_DAYS}d")]
    TooLong,
}

/// Reads a length such as `90s`, `30m`, `1h` or `7d`: at least a second and at most 366 days.
///
/// # Errors
/// When the text has another form, or the length is out of bounds.
pub fn parse_ttl(text: &str) -> Result<Duration, InvalidTtl> {
    let unit = text.chars().next_back().ok_or(InvalidTtl::Form)?;
    let seconds_per_unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(InvalidTtl::Form),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidTtl::Form);
    }
    // Only digits are left, so that what does not parse is too large.
    let count: i64 = digits.parse().map_err(|_| InvalidTtl::TooLong)?;
    let ttl = count.checked_mul(seconds_per_unit).and_then(Duration::try_seconds).ok_or(InvalidTtl::TooLong)?;
    if ttl.is_zero() {
        Err(InvalidTtl::Zero)
    } else if ttl > Duration::days(MOST_DAYS) {
        Err(InvalidTtl::TooLong)
    } else {
        Ok(ttl)
    }
}
