//! toguna
