//! What of a typed text cannot be seen.

/// Characters without width: joiners, marks of direction, soft hyphens, byte order marks. They come along when people copy
/// from mails and documents.
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}
