//! 照合番号: shows which mail belongs to which page, because hospital departments share mailboxes.

/// No character that looks like another one, and no vowel, so that no word comes out.
const ALPHABET: &[u8; 16] = b"CFHJKMNPRTWXY347";

/// Four characters from two random bytes. Random, so that it says nothing about the code.
pub fn reference(random: [u8; 2]) -> String {
    random
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|index| char::from(ALPHABET[usize::from(index)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_four_characters_that_cannot_be_confused() {
        assert_eq!(reference([0x01, 0xef]), "CF47");
        let all: Vec<_> = (0..=255).map(|byte| reference([byte, 0])).collect();
        assert!(all.iter().all(|text| text.len() == 4));
        let confusing = ['0', 'O', '1', 'I', 'L', '2', 'Z', '5', 'S', '8', 'B'];
        assert!(!all.iter().any(|text| text.contains(confusing)));
    }
}
