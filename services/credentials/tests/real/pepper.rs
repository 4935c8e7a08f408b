//! What the tables hold of a password.

use argon2::password_hash::phc::PasswordHash;
use sekisho_credentials::app::{App, Error, Keys, PasswordChange};
use sekisho_credentials::domain::Rules;
use sekisho_credentials::hashing::{Pepper, Phc};

use sekisho_proto::otp::v1::Purpose;
use sekisho_service::settings::Secret;

use crate::support::{ADDRESS, Bench, LOGIN, PASSWORD, SECRET, attempt, dump, hash_text, hex, pool_of, ring};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dump_holds_verifies_no_password_without_the_pepper() {
    let bench = Bench::new().await;
    let ready_made = hash_text(PASSWORD, 19_456);
    let phc = Phc::try_from(ready_made.as_str()).unwrap();
    bench.register_as(LOGIN, ADDRESS, &phc).await;

    let dump = dump(&bench);
    let (form, output) = ready_made.rsplit_once('$').unwrap();
    assert!(dump.contains(form), "the parameters can be read: {form}");
    let parsed = PasswordHash::new(&ready_made).unwrap();
    let bytes = parsed.hash.unwrap();
    assert!(
        !dump.contains(output) && !dump.contains(&hex(bytes.as_ref())),
        "{dump}"
    );
    assert!(parsed.salt.unwrap().len() >= 16);

    let keys = Keys {
        masters: bench.masters.clone(),
        phantoms: bench.app.phantoms().clone(),
        pepper: Pepper::new(ring("2026-03", 4)),
    };
    let thief = App::new(bench.log.clone(), pool_of(1, 1), keys, Rules::default());
    let outcome = thief.verify_password(attempt(LOGIN, PASSWORD)).await;
    assert!(matches!(outcome, Err(Error::Broken(_))), "{outcome:?}");
    bench.accepted().await;

    // And so with a password that its owner sets.
    let account = bench.found(LOGIN).await.account;
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let change = PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new("a new password of more than fifteen".to_owned()),
        command: [7; 16].into(),
        device: None,
    };
    bench.app.set_password(change).await.unwrap();
    let form = bench.sql("select form from credentials.password;");
    let (algorithm, salt) = form.trim().rsplit_once('$').unwrap();
    assert_eq!(algorithm, "$argon2id$v=19$m=19456,t=2,p=1");
    // 16 bytes in base64 without padding.
    assert!(salt.len() >= 22 && !ready_made.contains(salt), "{salt}");
}

/// Whoever may write the table knows a password of his own, and its row.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_copied_to_another_account_opens_nothing() {
    let bench = Bench::new().await;
    bench.register().await;
    let known = Phc::try_from(hash_text("the writer's own password", 64).as_str()).unwrap();
    bench.register_as("04500002", ADDRESS, &known).await;
    bench.sql(&format!(
        "update credentials.password as mine set form = theirs.form, sealed = theirs.sealed
         from credentials.password as theirs
         join credentials.account as thief on thief.account_id = theirs.account_id
         join credentials.account as owner on owner.login_id = '{LOGIN}'
         where mine.account_id = owner.account_id and thief.login_id = '04500002';"
    ));
    let outcome = bench
        .app
        .verify_password(attempt(LOGIN, "the writer's own password"))
        .await;
    assert!(matches!(outcome, Err(Error::Broken(_))), "{outcome:?}");
}
