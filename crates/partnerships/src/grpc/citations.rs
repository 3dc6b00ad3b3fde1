//! What a command names must be in the register: it is loaded with the command, so that both stand on one version of
//! the log.

use event_store::{Aggregate as _, Interrupt, StreamName, Unit};

use crate::domain::{Agreement, Partner};

/// Every partner named is registered. Call it after the command's own stream was loaded.
pub(super) fn require_partners<'a>(
    unit: &mut Unit,
    partners: impl IntoIterator<Item = &'a String>,
) -> Result<(), Interrupt> {
    let names: Vec<StreamName> = partners.into_iter().map(|partner| named(partner)).collect();
    let loaded = unit.load_all::<Partner>(&names)?;
    for (name, partner) in names.iter().zip(loaded) {
        partner.state().registered().map_err(|refusal| Interrupt::refused_by(name, refusal))?;
    }
    Ok(())
}

/// The agreement named is registered.
pub(super) fn require_agreement(unit: &mut Unit, agreement: &StreamName) -> Result<(), Interrupt> {
    let loaded = unit.load::<Agreement>(agreement)?;
    loaded.state().registered().map_err(|refusal| Interrupt::refused_by(agreement, refusal))?;
    Ok(())
}

/// The partner is registered; what it is a part of, from the nearest to the farthest.
pub(super) fn ancestors(unit: &mut Unit, partner: &str) -> Result<Vec<String>, Interrupt> {
    let mut ancestors = Vec::new();
    let mut next = Some(partner.to_owned());
    while let Some(partner) = next.take() {
        let name = named(&partner);
        let loaded = unit.load::<Partner>(&name)?;
        let registered = loaded.state().registered().map_err(|refusal| Interrupt::refused_by(&name, refusal))?;
        next = registered.profile.parent.clone().filter(|parent| !ancestors.contains(parent));
        ancestors.extend(next.clone());
    }
    Ok(ancestors)
}

fn named(partner: &str) -> StreamName {
    let id = partner.split_once('/').map_or(partner, |(_, id)| id);
    StreamName::new(Partner::CATEGORY, id).expect("names of partners are read before they are cited")
}
