//! The last that is done to an answer.

use async_graphql::{Response, ServerError};

use super::error::complete_code;

/// The longest message of an error, in characters. The library quotes what the caller wrote.
const MAX_MESSAGE: usize = 500;

/// Sees to it that every error carries a code, and that errors are no more and no longer than someone can read.
pub(super) fn complete(mut response: Response, max_errors: usize) -> Response {
    // A code is told by whether there is a path, so codes come first.
    response.errors.iter_mut().for_each(complete_code);
    cap(&mut response.errors, max_errors);
    response.errors.iter_mut().for_each(shorten);
    response
}

/// Where there are too many errors, the last one that is told stands for all that follow.
fn cap(errors: &mut Vec<ServerError>, max: usize) {
    let told = max.saturating_sub(1);
    let left_out = errors.len().saturating_sub(told);
    errors.truncate(max);
    if let Some(last) = errors.get_mut(told).filter(|_| left_out > 1) {
        last.message = format!("{left_out} more errors are left out; {max} are told at most.");
        last.locations.clear();
        last.path.clear();
    }
}

fn shorten(error: &mut ServerError) {
    if let Some((end, _)) = error.message.char_indices().nth(MAX_MESSAGE) {
        error.message.truncate(end);
        error.message.push('…');
    }
}
