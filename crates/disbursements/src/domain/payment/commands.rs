//! What can be asked of a payment, and why it refuses.

use event_sourcing::Date;

use super::{Stage, events::Request};
use crate::domain::{
    authority::AuthorityError,
    fund::Deadlines,
    money::{Currency, Money, MoneyError},
};

/// What can be asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// To be paid.
    Request {
        /// What is asked for.
        request: Box<Request>,
        /// The fund's currency.
        currency: Currency,
        /// The fund's deadlines.
        deadlines: Deadlines,
    },
    /// To have the file opened.
    Initiate,
    /// To have the costs checked.
    Verify {
        /// How much of what was asked is due.
        accepted: Money,
    },
    /// To be ordered.
    Authorise,
    /// To be paid out.
    Disburse {
        /// Reference of the bank's statement; may be empty.
        reference: String,
    },
    /// To be sent back.
    Return,
    /// To be refused.
    Reject,
}

/// Why a payment refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// Not this person, or not this organisation.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Not such an amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Nobody asked for it.
    #[error("there is no such payment")]
    NotRequested,
    /// It was asked for, and not returned since.
    #[error("the payment is there already")]
    AlreadyRequested,
    /// The step is not its next one.
    #[error("the payment is at another stage: {stage:?}")]
    OutOfTurn {
        /// Where it is.
        stage: Stage,
    },
    /// The person acted before, in another role.
    #[error("this person acted as {earlier_role}")]
    SamePersonTwice {
        /// The other role.
        earlier_role: &'static str,
    },
    /// The organisation that asks would check, approve or pay.
    #[error("{organisation} does not approve its own request")]
    OwnRequest {
        /// The organisation.
        organisation: String,
    },
    /// More would be accepted, or paid, than was asked for.
    #[error("{accepted} exceed {requested}")]
    ExceedsRequested {
        /// What would be accepted or paid.
        accepted: Money,
        /// What was asked for or accepted.
        requested: Money,
    },
    /// Its costs arise after the end of the fund's activities.
    #[error("a period to {period_end} ends after {end_of_activities}")]
    CostsAfterEndOfActivities {
        /// Last day of the costs.
        period_end: Date,
        /// Last day of the fund's activities.
        end_of_activities: Date,
    },
    /// An act that says why is needed.
    #[error("a reason is needed")]
    ReasonRequired,
}
