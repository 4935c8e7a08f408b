//! Administrators say who signs in with an NCR account.

use openidconnect::IssuerUrl;
use sekisho_credentials::app::{Error, Expected, Finished, Import, ImportRow, Outcome};
use sekisho_credentials::domain::{Change, Declared};
use sekisho_eventlog::Position;
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason;
use sekisho_proto::events::AccountEvent;
use sekisho_service::settings::Secret;

use super::provider::Scripted;
use super::{Staff, client, is_accepted, subject};
use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, hash_without_password};

const OTHER: &str = "04500002";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_what_was_opened_before_and_stands_in_the_log_with_who_made_it() {
    let staff = Staff::new().await;
    let returned = staff.visit().await;
    assert!(is_accepted(&staff.finish(returned.clone()).await));
    let again = staff
        .app
        .link_ncr(LOGIN, Some(subject(super::SUBJECT)), ACTOR)
        .await
        .unwrap();
    assert_eq!(again, Position(0), "it is so already");
    let position = staff
        .app
        .link_ncr(LOGIN, Some(subject("ncr-2")), ACTOR)
        .await
        .unwrap();
    let (entry, event) = staff.bench.newest().await;
    assert_eq!(entry.recorded.position, position);
    assert_eq!(entry.metadata().actor, ACTOR);
    assert!(matches!(event, AccountEvent::FederatedIdentityLinked(linked) if !linked.removed));
    let account = staff.bench.account(staff.account).await;
    assert_eq!(account.history.cuts.all, position);
    // The former person opens nothing any more, the new one does.
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::NoAccount));
    staff.provider.script().subject = "ncr-2".to_owned();
    assert!(is_accepted(&staff.sign_in().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_opens_one_account() {
    let staff = Staff::new().await;
    staff
        .bench
        .register_as(OTHER, "", &hash_without_password(1))
        .await;
    let refused = staff
        .app
        .link_ncr(OTHER, Some(subject(super::SUBJECT)), ACTOR)
        .await;
    assert!(matches!(refused, Err(Error::IdentityTaken)), "{refused:?}");
    let unknown = staff.app.link_ncr("04500009", Some(subject("x")), ACTOR).await;
    assert!(matches!(unknown, Err(Error::AccountUnknown)), "{unknown:?}");
    let nowhere = staff.bench.app.link_ncr(OTHER, Some(subject("x")), ACTOR).await;
    assert!(matches!(nowhere, Err(Error::ProviderMissing)), "{nowhere:?}");
    let counted = staff
        .bench
        .sql("select count(*) from credentials.federated_identity;");
    assert_eq!(counted.trim(), "1");
}

/// Of many at once who all want the same person, one gets it, and no other has an event.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_links_with_one_person_one_is_made() {
    let staff = Staff::new().await;
    for number in 2..10_u32 {
        let login = format!("0450000{number}");
        staff
            .bench
            .register_as(&login, "", &hash_without_password(number))
            .await;
    }
    let links = (2..10).map(|number| {
        let app = staff.app.clone();
        async move {
            app.link_ncr(&format!("0450000{number}"), Some(subject("ncr-9")), ACTOR)
                .await
        }
    });
    let links = futures::future::join_all(links).await;
    assert_eq!(links.iter().filter(|link| link.is_ok()).count(), 1, "{links:?}");
    assert!(
        links
            .iter()
            .all(|link| matches!(link, Ok(_) | Err(Error::IdentityTaken)))
    );
    let entries = staff.bench.account_entries().await;
    let linked = entries
        .iter()
        .filter(|entry| entry.event_type == "federated_identity_linked");
    assert_eq!(linked.count(), 2, "the first account's and one more");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_link_an_account_opens_with_a_new_password_only() {
    let staff = Staff::new().await;
    // Also where there is no provider any more.
    staff.bench.app.link_ncr(LOGIN, None, ACTOR).await.unwrap();
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::NoAccount));
    let outcome = staff.bench.sign_in(LOGIN, PASSWORD).await;
    assert!(matches!(outcome, Outcome::MustChange(_)), "{outcome:?}");
    let nothing = staff.app.link_ncr(LOGIN, None, ACTOR).await.unwrap();
    assert_eq!(nothing, Position(0));
}

/// A link is to a person at one provider: with another one it is made anew, and stands in nobody's way.
#[tokio::test(flavor = "multi_thread")]
async fn another_provider_is_another_link() {
    let staff = Staff::new().await;
    let other = Scripted::start().await;
    let app = staff.bench.app.clone().with_provider(client(&other, |settings| {
        settings.issuer = IssuerUrl::new(other.issuer.clone()).unwrap();
    }));
    let position = app
        .link_ncr(LOGIN, Some(subject(super::SUBJECT)), ACTOR)
        .await
        .unwrap();
    assert!(position > Position(0));
    let at_other = Staff {
        app,
        provider: other,
        ..staff
    };
    assert!(is_accepted(&at_other.sign_in().await));
    let rows = at_other
        .bench
        .sql("select count(*) from credentials.federated_identity;");
    assert_eq!(rows.trim(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_linked_with_nobody() {
    let staff = Staff::new().await;
    staff.app.erase(LOGIN, ACTOR).await.unwrap();
    let left = staff
        .bench
        .sql("select count(*) from credentials.federated_identity;");
    assert_eq!(left.trim(), "0");
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::NoAccount));
}

fn row(login: &str, subject: &str) -> ImportRow {
    ImportRow {
        declared: Declared {
            login_id: login.to_owned(),
            facility_code: "ncc".to_owned(),
            facility: "架空がん対策部".to_owned(),
            name: "登録 花子".to_owned(),
            subject: subject.to_owned(),
            ..Declared::default()
        },
        password_hash: Secret::new(String::new()),
        password_is_initial: false,
        expected: Expected::Anything,
    }
}

async fn import(staff: &Staff, rows: Vec<ImportRow>) -> Vec<Result<Vec<Change>, Error>> {
    let imported = staff.app.import(rows, Import::By(ACTOR)).await.unwrap();
    imported.into_iter().map(|imported| imported.outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_makes_staff_and_the_same_list_again_changes_nothing() {
    let staff = Staff::new().await;
    let rows = || vec![row(OTHER, "ncr-2"), row(LOGIN, super::SUBJECT)];
    let outcomes = import(&staff, rows()).await;
    assert_eq!(
        outcomes[0].as_deref().unwrap(),
        [Change::Registered, Change::Linked]
    );
    assert_eq!(
        outcomes[1].as_deref().unwrap(),
        [Change::Transferred],
        "linked already"
    );
    let again = import(&staff, rows()).await;
    assert!(
        again.iter().all(|outcome| outcome.as_deref().unwrap().is_empty()),
        "{again:?}"
    );
    staff.provider.script().subject = "ncr-2".to_owned();
    assert!(is_accepted(&staff.sign_in().await));

    // A call whose answer was lost, sent again as it was; and another list about somebody else of the same login id.
    let new = |subject| ImportRow {
        expected: Expected::New,
        ..row(OTHER, subject)
    };
    assert!(
        import(&staff, vec![new("ncr-2")]).await[0]
            .as_deref()
            .unwrap()
            .is_empty()
    );
    let of_somebody_else = import(&staff, vec![new("ncr-8")]).await;
    assert!(
        matches!(of_somebody_else[0], Err(Error::AccountExists)),
        "{of_somebody_else:?}"
    );

    // It was made, and its link failed.
    staff.app.link_ncr(OTHER, None, ACTOR).await.unwrap();
    let half_made = import(&staff, vec![new("ncr-2")]).await;
    assert_eq!(half_made[0].as_deref().unwrap(), [Change::Linked]);

    // Nobody new comes in before the account is shut.
    let left = ImportRow {
        declared: Declared {
            disabled: Some(true),
            ..row(OTHER, "ncr-3").declared
        },
        ..row(OTHER, "")
    };
    let moved = import(&staff, vec![left]).await;
    assert_eq!(moved[0].as_deref().unwrap(), [Change::Disabled, Change::Linked]);
    let overview = staff.app.show(OTHER).await.unwrap();
    assert_eq!(overview.row.subject, "ncr-3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_linked_is_refused_and_makes_no_account() {
    let staff = Staff::new().await;
    let taken = import(&staff, vec![row(OTHER, super::SUBJECT)]).await;
    assert!(matches!(taken[0], Err(Error::IdentityTaken)), "{taken:?}");
    let invalid = import(&staff, vec![row(OTHER, "ncr 2")]).await;
    assert!(matches!(invalid[0], Err(Error::Declaration(_))), "{invalid:?}");
    let bench: &Bench = &staff.bench;
    let nowhere = bench
        .app
        .import(vec![row(OTHER, "ncr-2")], Import::DryRun)
        .await
        .unwrap();
    assert!(
        matches!(nowhere[0].outcome, Err(Error::ProviderMissing)),
        "{nowhere:?}"
    );
    // What changes nothing needs no provider.
    let as_it_is = row(LOGIN, super::SUBJECT);
    let unchanged = bench.app.import(vec![as_it_is], Import::DryRun).await.unwrap();
    assert_eq!(unchanged[0].outcome.as_deref().unwrap(), [Change::Transferred]);
    let shown = staff.app.show(OTHER).await;
    assert!(matches!(shown, Err(Error::AccountUnknown)));
}

/// Who links may disable the account before and enable it after.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_told_also_while_the_account_is_disabled() {
    let staff = Staff::new().await;
    staff.app.disable(LOGIN, ACTOR).await.unwrap();
    let other = Some(subject("ncr-9"));
    let position = staff.app.link_ncr(LOGIN, other, ACTOR).await.unwrap();
    let told = async || staff.app.resolve_notice(staff.account, position).await.unwrap();
    assert_eq!(told().await.unwrap().as_str(), ADDRESS);
    staff.app.erase(LOGIN, ACTOR).await.unwrap();
    assert_eq!(told().await, None);
}
