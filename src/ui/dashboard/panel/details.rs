//! One load: what each layer said, and what each holds of the user now.

use super::Shown;
use crate::{
    browser::{json, schedule},
    cache::{
        event::{Answer, Load, Step},
        explain::explain,
        figure::Figure,
        holding::Holding,
    },
};
use leptos::prelude::*;
use miniature_api::UserId;

/// A sentence for each layer that was asked, one for what came of it; of this page, the entries, too.
pub(super) fn details(load: &Load, shown: Shown) -> impl IntoView + use<> {
    let sentences = explain(load);
    let steps = load.path.iter().map(Some).chain([None]).zip(sentences);
    let items = steps.map(|(step, sentence)| item(step.copied(), sentence)).collect_view();
    let user = load.user.clone();
    let entries = (!shown.is_imported.get_untracked()).then(|| entries(user, shown));
    view! {
        <div class="load-details">
            <ol>{items}</ol>
            {entries}
        </div>
    }
}

fn item(step: Option<Step>, sentence: String) -> impl IntoView {
    let why = step.map(|step| step.answer).filter(|answer| !matches!(answer, Answer::Hit));
    view! {
        <li
            data-step=step.map(|step| step.layer.as_str())
            data-answer=step.map(|step| kind(step.answer))
            data-why=why.map(Answer::as_str)
        >
            {sentence}
        </li>
    }
}

/// An answer among the three kinds that there are.
fn kind(answer: Answer) -> &'static str {
    match answer {
        Answer::Hit | Answer::Stale => "hit",
        Answer::Absent | Answer::OtherRevision | Answer::TooSmall => "miss",
        Answer::Denied | Answer::TimedOut | Answer::Failed => "failed",
    }
}

/// What each layer holds of the user now, side by side.
fn entries(user: UserId, shown: Shown) -> impl IntoView {
    let held = RwSignal::new_local(None::<Vec<Holding>>);
    let caption = format!("What each layer holds of {user} now");
    if let Some(monitor) = shown.monitor.try_get_value() {
        schedule::spawn(async move {
            if let Ok(told) = monitor.entry(user.as_str()).await {
                let _ = held.try_set(json::read_object(told));
            }
        });
    }
    move || {
        let held = held.get()?;
        let rows = held.iter().map(row).collect_view();
        Some(view! {
            <table class="entry-table">
                <caption>{caption.clone()}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Layer"</th>
                        <th scope="col">"Revision"</th>
                        <th scope="col">"Pictures"</th>
                        <th scope="col">"Checked"</th>
                        <th scope="col">"Believed"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        })
    }
}

fn row(held: &Holding) -> impl IntoView + use<> {
    let pictures = held
        .pictures
        .iter()
        .map(|picture| format!("{} px, {}", picture.size.px(), Figure::Bytes(picture.bytes)));
    let pictures = match held.is_readable {
        true => pictures.collect::<Vec<_>>().join("; "),
        false => "cannot be read".to_owned(),
    };
    view! {
        <tr data-layer=held.layer.as_str()>
            <th scope="row">
                <span class="layer-dot" aria-hidden="true"></span>
                {held.layer.label()}
            </th>
            <td>{held.revision.map_or("–".to_owned(), |revision| revision.0.to_string())}</td>
            <td>{if pictures.is_empty() { "–".to_owned() } else { pictures }}</td>
            <td>{held.checked_at.map_or("–".to_owned(), |at| ago(at.0))}</td>
            <td>{held.believed_until.map_or("–".to_owned(), |at| ahead(at.0))}</td>
        </tr>
    }
}

fn ago(at: u64) -> String {
    match now().checked_sub(at) {
        Some(ms) => format!("{} ago", span(ms)),
        None => "in the future".to_owned(),
    }
}

fn ahead(until: u64) -> String {
    match until.checked_sub(now()) {
        Some(ms) if ms > 0 => format!("for {}", span(ms)),
        _ => "no more".to_owned(),
    }
}

fn now() -> u64 {
    crate::browser::clock::now().wall.0
}

/// A span of time in its largest unit.
fn span(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = UNITS.into_iter().find(|(unit, _)| ms >= *unit);
    unit.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{} {name}", ms / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        let cases = [
            (7, "7 ms"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (3_600_000 * 25, "1 d"),
            (7_200_000, "2 h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(span(ms), expected);
        }
    }

    #[test]
    fn each_answer_is_of_one_kind() {
        assert_eq!(kind(Answer::Stale), "hit");
        assert_eq!(kind(Answer::TooSmall), "miss");
        assert_eq!(kind(Answer::TimedOut), "failed");
    }
}
