//! The table of architecture section 2, written out: each status with each happening.
//!
//! A cell names the next status by its first two letters, with `*` where the present generation is retired; `=` means that
//! nothing changes, `!` that it cannot happen, `~` that it answers a request that is not there.

use rollcall::domain::{
    channel::ChannelKind,
    confirmation::{
        Confirmation, ConfirmationStatus, FailureCode, Happening, NoStep, Origin, Proof, StatusChangeCause as Cause,
    },
};

use crate::domain::{after, asked_states, channel, generation, request};

/// The generation that the table's channels are at.
const OWN: u128 = 1;
/// The generation that a new request brings.
const NEW: u128 = 2;
/// A generation that was retired before.
const OLD: u128 = 7;

/// The columns. Those with a request have generation [`OWN`], and their link dies at 100 seconds.
const COLUMNS: [ConfirmationStatus; 9] = [
    ConfirmationStatus::NotConfigured,
    ConfirmationStatus::Unsubscribed,
    ConfirmationStatus::Requested,
    ConfirmationStatus::Pending,
    ConfirmationStatus::Confirmed,
    ConfirmationStatus::Expired,
    ConfirmationStatus::Cancelled,
    ConfirmationStatus::Failed,
    ConfirmationStatus::NotRequired,
];

struct Row {
    happening: Happening,
    cause: Cause,
    cells: &'static str,
}

const fn row(happening: Happening, cause: Cause, cells: &'static str) -> Row {
    Row { happening, cause, cells }
}

fn confirmed(proof: Proof, seconds: i64) -> Happening {
    Happening::Confirmed { generation: generation(OWN), proof, at: after(seconds) }
}

fn subscribed(origin: Origin) -> Happening {
    Happening::Subscribed { request: request(NEW), origin }
}

fn set(number: Option<u128>, origin: Origin) -> Happening {
    Happening::EndpointSet { request: number.map(request), origin }
}

#[rustfmt::skip]
fn own_rows() -> Vec<Row> {
    use Origin::{Directory, Person};
    let (own, code) = (generation(OWN), FailureCode::SenderRefused);
    vec![
        //                                                            NOTC UNSU REQU PEND CONF EXPI CANC FAIL NOTR
        row(subscribed(Person), Cause::Subscribed,                    "!   RE   !    RE*  !    RE*  RE*  RE*  !"),
        row(subscribed(Directory), Cause::Directory,                  "!   RE   !    RE*  !    RE*  RE*  RE*  !"),
        row(Happening::Accepted { generation: own, expires_at: after(300) }, Cause::ProviderAccepted,
                                                                      "~   ~    PE   =    =    =    =    =    ~"),
        row(Happening::Refused { generation: own, code }, Cause::ProviderRefused,
                                                                      "~   ~    FA   =    =    =    =    =    ~"),
        row(confirmed(Proof::Link, 99), Cause::Link,                  "~   ~    !    CO   =    !    !    !    ~"),
        row(confirmed(Proof::Code, 99), Cause::Code,                  "~   ~    !    CO   =    !    !    !    ~"),
        row(confirmed(Proof::Sync, 99), Cause::Sync,                  "~   ~    CO   CO   =    CO   CO   CO   ~"),
        row(confirmed(Proof::Link, 100), Cause::Link,                 "~   ~    !    !    =    !    !    !    ~"),
        row(confirmed(Proof::Code, 100), Cause::Code,                 "~   ~    !    !    =    !    !    !    ~"),
        row(confirmed(Proof::Sync, 100), Cause::Sync,                 "~   ~    CO   CO   =    CO   CO   CO   ~"),
        row(Happening::TimePassed { generation: own, now: after(99) }, Cause::Expiry,
                                                                      "~   ~    =    =    =    =    =    =    ~"),
        row(Happening::TimePassed { generation: own, now: after(100) }, Cause::Expiry,
                                                                      "~   ~    =    EX   =    =    =    =    ~"),
        row(Happening::OptedOut { generation: own }, Cause::OptOut,   "~   ~    !    CA   CA   !    =    !    ~"),
        row(Happening::GoneAtProvider { generation: own }, Cause::Sync,
                                                                      "~   ~    !    CA   CA   !    =    !    ~"),
        row(set(Some(NEW), Person), Cause::Edit,                      "RE  RE   RE*  RE*  RE*  RE*  RE*  RE*  NR"),
        row(set(None, Person), Cause::Edit,                           "UN  UN   UN*  UN*  UN*  UN*  UN*  UN*  NR"),
        row(set(Some(NEW), Directory), Cause::Directory,              "RE  RE   RE*  RE*  RE*  RE*  RE*  RE*  NR"),
        row(set(None, Directory), Cause::Directory,                   "UN  UN   UN*  UN*  UN*  UN*  UN*  UN*  NR"),
        row(Happening::EndpointCleared { origin: Person }, Cause::Edit,
                                                                      "=   NC   NC*  NC*  NC*  NC*  NC*  NC*  NC"),
        row(Happening::EndpointCleared { origin: Directory }, Cause::Directory,
                                                                      "=   NC   NC*  NC*  NC*  NC*  NC*  NC*  NC"),
        row(Happening::Cancelled, Cause::Cancel,                      "!   =    UN*  UN*  UN*  !    !    !    !"),
    ]
}

/// The same answers to a generation that was retired: late everywhere.
fn late_rows() -> Vec<Row> {
    own_rows()
        .into_iter()
        .filter_map(|row| {
            let happening = readdress(row.happening)?;
            Some(Row { happening, cells: "~ ~ ~ ~ ~ ~ ~ ~ ~", ..row })
        })
        .collect()
}

/// The same answer to [`OLD`]; `None` for what is no answer.
fn readdress(happening: Happening) -> Option<Happening> {
    let generation = generation(OLD);
    match happening {
        Happening::Accepted { expires_at, .. } => Some(Happening::Accepted { generation, expires_at }),
        Happening::Refused { code, .. } => Some(Happening::Refused { generation, code }),
        Happening::Confirmed { proof, at, .. } => Some(Happening::Confirmed { generation, proof, at }),
        Happening::TimePassed { now, .. } => Some(Happening::TimePassed { generation, now }),
        Happening::OptedOut { .. } => Some(Happening::OptedOut { generation }),
        Happening::GoneAtProvider { .. } => Some(Happening::GoneAtProvider { generation }),
        Happening::Subscribed { .. }
        | Happening::EndpointSet { .. }
        | Happening::EndpointCleared { .. }
        | Happening::Cancelled => None,
    }
}

fn state_of(status: ConfirmationStatus) -> Confirmation {
    let asked = asked_states(request(OWN)).into_iter();
    let unasked = [Confirmation::NotConfigured, Confirmation::Unsubscribed, Confirmation::NotRequired];
    asked.chain(unasked).find(|state| state.status() == status).unwrap()
}

/// The whole state that a cell means, with everything it carries.
fn expected(cell: &str, happening: Happening) -> Confirmation {
    let own = request(OWN);
    match (cell, happening) {
        ("NC", _) => Confirmation::NotConfigured,
        ("UN", _) => Confirmation::Unsubscribed,
        ("NR", _) => Confirmation::NotRequired,
        ("RE", _) => Confirmation::Requested(request(NEW)),
        ("PE", Happening::Accepted { expires_at, .. }) => Confirmation::Pending { request: own, expires_at },
        ("CO", Happening::Confirmed { at, .. }) => Confirmation::Confirmed { request: own, at },
        ("EX", _) => Confirmation::Expired { request: own, expires_at: after(100) },
        ("CA", _) => Confirmation::Cancelled(own),
        ("FA", Happening::Refused { code, .. }) => Confirmation::Failed { request: own, code },
        (cell, happening) => panic!("the cell {cell} makes no sense for {happening:?}"),
    }
}

fn check(status: ConfirmationStatus, row: &Row, cell: &str) {
    let kind = if status == ConfirmationStatus::NotRequired { ChannelKind::Dingtalk } else { ChannelKind::Email };
    let from = state_of(status);
    let result = channel(kind, from).apply(row.happening);
    let place = format!("{} when {:?}", status.name(), row.happening);
    match cell {
        "=" => assert_eq!(result, Err(NoStep::Unchanged), "{place}"),
        "!" => assert_eq!(result, Err(NoStep::Impossible(status)), "{place}"),
        "~" => assert_eq!(result, Err(NoStep::Late), "{place}"),
        next => {
            let step = result.unwrap_or_else(|reason| panic!("{place}: {reason}"));
            let retired = next.ends_with('*').then(|| generation(OWN));
            assert_eq!(step.from, from, "{place}");
            assert_eq!(step.to, expected(next.trim_end_matches('*'), row.happening), "{place}");
            assert_eq!((step.cause, step.retired), (row.cause, retired), "{place}");
        }
    }
}

#[test]
fn every_status_answers_every_happening_as_the_table_says() {
    assert_eq!(COLUMNS, ConfirmationStatus::ALL);
    for row in own_rows().into_iter().chain(late_rows()) {
        let cells: Vec<_> = row.cells.split_whitespace().collect();
        assert_eq!(cells.len(), COLUMNS.len(), "{:?}", row.happening);
        for (status, cell) in COLUMNS.into_iter().zip(cells) {
            check(status, &row, cell);
        }
    }
}

#[test]
fn the_table_holds_every_happening() {
    let place = |happening: &Happening| match happening {
        Happening::Subscribed { .. } => 0,
        Happening::Accepted { .. } => 1,
        Happening::Refused { .. } => 2,
        Happening::Confirmed { .. } => 3,
        Happening::TimePassed { .. } => 4,
        Happening::OptedOut { .. } => 5,
        Happening::GoneAtProvider { .. } => 6,
        Happening::EndpointSet { .. } => 7,
        Happening::EndpointCleared { .. } => 8,
        Happening::Cancelled => 9,
    };
    let mut held = [false; 10];
    for row in own_rows() {
        held[place(&row.happening)] = true;
    }
    assert_eq!(held, [true; 10]);
    assert_eq!(late_rows().len(), 12);
}
