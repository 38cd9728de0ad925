//! Someone with very many friends, to try a long list.

use miniature_api::{IdError, UserId};

use super::{DemoError, PASSWORD, WITHOUT_PICTURE, people::others};
use crate::{Collection, sign_in::hash_password, storage::NewPerson};

/// The name to sign in with to see them.
const CROWD: &str = "crowd";

/// Creates someone who has this many friends, with the portraits of the demo people in turn. A
/// user that exists already stays as they are.
///
/// # Errors
///
/// What stands in the way; what was created before it stays.
pub async fn create_crowd(collection: &Collection, friends: u32) -> Result<(), DemoError> {
    if friends == 0 {
        return Ok(());
    }
    let hash = collection.workers.run(|| hash_password(PASSWORD)).await??;
    let host = person(CROWD.parse()?, "Someone with Many Friends".to_owned(), Some(hash));
    let crowd: Vec<UserId> = (1..=friends).map(friend).collect::<Result<_, _>>()?;
    let pairs: Vec<_> = crowd.iter().map(|user| (host.user_id.clone(), user.clone())).collect();
    let named = (1..).zip(&crowd).map(|(n, user)| person(user.clone(), name(n), None));
    let people: Vec<NewPerson> = std::iter::once(host).chain(named).collect();
    collection.database.add_people(&people, &pairs).await?;
    let portrayed = others().filter(|person| !WITHOUT_PICTURE.contains(&person.id));
    let portrayed: Vec<UserId> = portrayed.map(|p| p.id.parse()).collect::<Result<_, _>>()?;
    let pairs: Vec<_> = portrayed.iter().cloned().cycle().zip(crowd).collect();
    Ok(collection.database.lend_pictures(&pairs).await?)
}

fn friend(number: u32) -> Result<UserId, IdError> {
    format!("{CROWD}-{number:05}").parse()
}

/// The names of the demo people, numbered, so that their order is that of the numbers.
fn name(number: u32) -> String {
    let people: Vec<&str> = others().map(|person| person.name).collect();
    let at = usize::try_from(number).unwrap_or_default() % people.len().max(1);
    format!("{number:05} {}", people.get(at).copied().unwrap_or_default())
}

fn person(user_id: UserId, name: String, password_hash: Option<String>) -> NewPerson {
    NewPerson { user_id, name, headline: "One of many".to_owned(), password_hash }
}
