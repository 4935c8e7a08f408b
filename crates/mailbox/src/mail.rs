//! One mail, taken apart.

use mailparse::{DispositionType, MailAddr, MailHeaderMap, ParsedMail};
use time::OffsetDateTime;

/// An address with the name before it, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) address: String,
}

/// A mail as it came in, with what people want to read of it.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) id: u64,
    pub(crate) received: OffsetDateTime,
    /// The sender that SMTP named, where a failure would be reported to.
    pub(crate) return_path: String,
    /// Without its angle brackets; empty if the mail has none.
    pub(crate) message_id: String,
    pub(crate) from: Vec<Address>,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) reply_to: Vec<Address>,
    /// Recipients that SMTP named and no header does.
    pub(crate) bcc: Vec<Address>,
    pub(crate) subject: String,
    pub(crate) date: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) attachments: usize,
    /// Bytes.
    pub(crate) size: usize,
}

/// What SMTP said about a mail.
#[derive(Debug, Default, Clone)]
pub(crate) struct Envelope {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
}

impl Mail {
    /// Takes a mail apart. What cannot be understood is shown as it is.
    pub(crate) fn read(id: u64, received: OffsetDateTime, envelope: &Envelope, bytes: &[u8]) -> Self {
        let mut mail = Self::empty(id, received, envelope, bytes.len());
        match mailparse::parse_mail(bytes) {
            Ok(parsed) => mail.fill(envelope, &parsed),
            Err(_) => mail.text = String::from_utf8_lossy(bytes).into_owned(),
        }
        mail
    }

    fn empty(id: u64, received: OffsetDateTime, envelope: &Envelope, size: usize) -> Self {
        Self {
            id,
            received,
            return_path: envelope.sender.clone(),
            message_id: String::new(),
            from: Vec::new(),
            to: Vec::new(),
            cc: Vec::new(),
            reply_to: Vec::new(),
            bcc: Vec::new(),
            subject: String::new(),
            date: String::new(),
            text: String::new(),
            html: String::new(),
            attachments: 0,
            size,
        }
    }

    fn fill(&mut self, envelope: &Envelope, parsed: &ParsedMail<'_>) {
        let header = |name: &str| parsed.headers.get_first_value(name).unwrap_or_default();
        self.subject = header("Subject");
        self.date = header("Date");
        self.message_id = header("Message-ID").trim().replace(['<', '>'], "");
        self.from = addresses(parsed, "From");
        self.to = addresses(parsed, "To");
        self.cc = addresses(parsed, "Cc");
        self.reply_to = addresses(parsed, "Reply-To");
        let named = |recipient: &String| {
            self.to
                .iter()
                .chain(&self.cc)
                .any(|known| known.address == *recipient)
        };
        let hidden = envelope.recipients.iter().filter(|recipient| !named(recipient));
        self.bcc = hidden
            .map(|address| Address {
                name: String::new(),
                address: address.clone(),
            })
            .collect();
        for part in parsed.parts().filter(|part| part.subparts.is_empty()) {
            self.add(part);
        }
    }

    fn add(&mut self, part: &ParsedMail<'_>) {
        let attached = part.get_content_disposition().disposition == DispositionType::Attachment;
        let body = || part.get_body().unwrap_or_default().replace("\r\n", "\n");
        match part.ctype.mimetype.as_str() {
            "text/plain" if !attached && self.text.is_empty() => self.text = body(),
            "text/html" if !attached && self.html.is_empty() => self.html = body(),
            _ => self.attachments += 1,
        }
    }

    /// The beginning of the text, on one line.
    pub(crate) fn snippet(&self) -> String {
        self.text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(120)
            .collect()
    }
}

fn addresses(parsed: &ParsedMail<'_>, name: &str) -> Vec<Address> {
    let lists = parsed
        .headers
        .get_all_headers(name)
        .into_iter()
        .map(mailparse::addrparse_header);
    let entries = lists
        .filter_map(Result::ok)
        .flat_map(mailparse::MailAddrList::into_inner);
    let singles = entries.flat_map(|entry| match entry {
        MailAddr::Single(single) => vec![single],
        MailAddr::Group(group) => group.addrs,
    });
    let address = |single: mailparse::SingleInfo| Address {
        name: single.display_name.unwrap_or_default(),
        address: single.addr,
    };
    singles.map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Mail {
        let envelope = Envelope {
            sender: "gtol@localhost".to_owned(),
            recipients: vec!["a@example.com".to_owned()],
        };
        Mail::read(
            1,
            OffsetDateTime::UNIX_EPOCH,
            &envelope,
            text.replace('\n', "\r\n").as_bytes(),
        )
    }

    #[test]
    fn subject_and_text_are_decoded() {
        let mail = read(
            "Subject: =?utf-8?B?56K66KqN44Kz44O844OJ?=\nMessage-ID: <7@host>\nTo: =?utf-8?B?6KaL5pys?= <a@example.com>\n\
             Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n44Kz44O844OJIDEyMzQ1Ng==\n",
        );
        assert_eq!(mail.subject, "確認コード");
        assert_eq!(mail.message_id, "7@host");
        assert_eq!(mail.text, "コード 123456");
        assert_eq!(
            mail.to,
            [Address {
                name: "見本".to_owned(),
                address: "a@example.com".to_owned()
            }]
        );
        assert!(mail.bcc.is_empty());
    }

    #[test]
    fn an_old_japanese_charset_is_decoded() {
        let mail = read(
            "Subject: =?ISO-2022-JP?B?GyRCM05HJyEhGyhC?=\nContent-Type: text/plain; charset=iso-2022-jp\n\n\u{1b}$B3NG'\u{1b}(B\n",
        );
        assert_eq!(mail.text.trim(), "確認");
    }

    #[test]
    fn a_recipient_that_no_header_names_is_a_hidden_one() {
        let mail = read("Subject: x\nTo: other@example.com\n\ntext\n");
        assert_eq!(
            mail.bcc,
            [Address {
                name: String::new(),
                address: "a@example.com".to_owned()
            }]
        );
    }
}
