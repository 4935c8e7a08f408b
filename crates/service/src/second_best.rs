//! Answers for want of a better one.
//!
//! A replica that cannot vouch for its answer marks it; the client then asks the other replicas, and takes the marked answer
//! only if none of them has a better one. So only for calls that change nothing that a repetition would change again.

use http::{HeaderMap, HeaderValue};
use tonic::Response;
use tonic::metadata::MetadataValue;

const HEADER: &str = "sekisho-second-best";
const YES: &str = "true";

/// Marks an answer.
#[must_use]
pub fn mark<T>(mut answer: Response<T>) -> Response<T> {
    answer
        .metadata_mut()
        .insert(HEADER, MetadataValue::from_static(YES));
    answer
}

/// Whether an answer is marked.
pub(crate) fn is_marked(headers: &HeaderMap) -> bool {
    headers.get(HEADER) == Some(&HeaderValue::from_static(YES))
}
