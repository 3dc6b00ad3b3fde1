//! disbursements
