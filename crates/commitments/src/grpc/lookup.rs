//! What a command must know of other streams than its own, and what they refuse it. Whatever is looked at here must
//! still be so when the command's events are written.

use event_store::{Interrupt, StreamName, Unit};

use crate::domain::{
    AgreementStanding, Commitment, CommitmentError, Cycle, CycleError, Description, Framework, FrameworkError,
    Initiative, InitiativeError, OpenCycle, PlanItemReference, Subject,
};

/// The organisation that keeps a framework's register.
pub fn secretariat(unit: &mut Unit, framework: &StreamName) -> Result<String, Interrupt> {
    let history = unit.load::<Framework>(framework)?;
    let found = history.state().secretariat().map(ToOwned::to_owned);
    found.map_err(|refusal| Interrupt::refused_by(framework, refusal))
}

/// The framework that a commitment answers.
pub fn framework_of(unit: &mut Unit, commitment: &StreamName) -> Result<StreamName, Interrupt> {
    let history = unit.load::<Commitment>(commitment)?;
    let declared = history.state().terms();
    let terms = declared.ok_or_else(|| Interrupt::refused_by(commitment, CommitmentError::NotFound))?;
    Ok(terms.event.answers.framework.clone())
}

/// The organisation that keeps the register which a commitment is entered in. The commitment is loaded first: it is
/// the command's own.
pub fn secretariat_of_commitment(unit: &mut Unit, commitment: &StreamName) -> Result<String, Interrupt> {
    let framework = framework_of(unit, commitment)?;
    secretariat(unit, &framework)
}

/// The organisation that opened a cycle's framework. The cycle is loaded first: it is the command's own.
pub fn secretariat_of_cycle(unit: &mut Unit, cycle: &StreamName) -> Result<String, Interrupt> {
    let history = unit.load::<Cycle>(cycle)?;
    let opened = history.state().opening();
    let opening = opened.ok_or_else(|| Interrupt::refused_by(cycle, CycleError::NotFound))?;
    secretariat(unit, &opening.event.framework)
}

/// The place in a plan is there.
pub fn place(unit: &mut Unit, reference: &PlanItemReference) -> Result<(), Interrupt> {
    let history = unit.load::<Framework>(&reference.framework)?;
    let found = history.state().has(reference);
    found.map_err(|refusal: FrameworkError| Interrupt::refused_by(&reference.framework, refusal))
}

/// A cycle as it stands.
pub fn cycle(unit: &mut Unit, cycle: &StreamName) -> Result<OpenCycle, Interrupt> {
    let history = unit.load::<Cycle>(cycle)?;
    let state = history.state();
    let opening = state.opening().filter(|_| state.is_open());
    Ok(OpenCycle { name: cycle.clone(), framework: opening.map(|opening| opening.event.framework.clone()) })
}

/// An agreement is known here, and has not ended by the day of the act.
pub fn citable(unit: &mut Unit, agreement: &StreamName) -> Result<(), Interrupt> {
    let act = unit.act();
    let day = act.effective_on.map_or(act.today, event_store::PartialDate::latest);
    let stream = AgreementStanding::stream_of(agreement);
    let history = unit.load::<AgreementStanding>(&stream)?;
    Ok(history.state().citable(agreement, day)?)
}

/// The commitment is there.
pub fn commitment(unit: &mut Unit, name: &StreamName) -> Result<(), Interrupt> {
    framework_of(unit, name).map(drop)
}

/// What is measured is there, as far as this log can know: contracts are another service's.
pub fn subject(unit: &mut Unit, subject: &Subject) -> Result<(), Interrupt> {
    let name = subject.name();
    match name.category() {
        "commitments" => commitment(unit, name),
        "initiatives" if unit.load::<Initiative>(name)?.state().registered().is_none() => {
            Err(Interrupt::refused_by(name, InitiativeError::NotFound))
        }
        _ => Ok(()),
    }
}

/// Whatever a description names is there.
pub fn described(unit: &mut Unit, description: &Description) -> Result<(), Interrupt> {
    description.serves.iter().try_for_each(|item| place(unit, item))?;
    description.commitments.iter().try_for_each(|name| commitment(unit, name))
}
