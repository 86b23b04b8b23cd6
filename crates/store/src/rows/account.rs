//! Accounts of the ledger and countries as numbers.

use domain::ids::RouteKey;
use domain::model::ledger::Account;
use domain::phone::CountryCode;

use super::Corrupt;

const FUNDS: i64 = 0;
const DEPOSITS: i64 = 1;
/// The accounts of routes' charges stand from here on.
const CHARGES: i64 = 16;

/// The number of an account.
pub(crate) fn account_to_key(account: Account) -> i64 {
    match account {
        Account::Funds => FUNDS,
        Account::Deposits => DEPOSITS,
        Account::Charges(route) => CHARGES + i64::from(route.0),
    }
}

/// The account with this number.
pub(crate) fn account_from_key(key: i64) -> Result<Account, Corrupt> {
    match key {
        FUNDS => Ok(Account::Funds),
        DEPOSITS => Ok(Account::Deposits),
        _ => u32::try_from(key - CHARGES)
            .map(|it| Account::Charges(RouteKey(it)))
            .map_err(|_| Corrupt("an account")),
    }
}

/// The number of a country; 0 for none.
pub(crate) fn country_to_key(country: Option<CountryCode>) -> u32 {
    let letters = country
        .as_ref()
        .map_or(&[][..], |it| it.as_str().as_bytes());
    letters.iter().fold(0, |sum, it| sum << 8 | u32::from(*it))
}

/// The country with this number.
pub(crate) fn country_from_key(key: u32) -> Result<Option<CountryCode>, Corrupt> {
    if key == 0 {
        return Ok(None);
    }
    let [_, _, first, second] = key.to_be_bytes();
    let letters = [first, second];
    let country = std::str::from_utf8(&letters)
        .ok()
        .and_then(CountryCode::parse);
    country.map(Some).ok_or(Corrupt("a country"))
}
