//! What there is to call, by its descriptors: read when the first caller without gRPC comes.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor};

static CALLS: LazyLock<DescriptorPool> =
    LazyLock::new(|| pool(&[contracts::DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET]));
static DETAILS: LazyLock<DescriptorPool> = LazyLock::new(|| pool(&[tonic_types::pb::FILE_DESCRIPTOR_SET]));

fn pool(sets: &[&[u8]]) -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    for set in sets {
        pool.decode_file_descriptor_set(*set).expect("the descriptors were compiled with us");
    }
    pool
}

/// Everything that our services and health are made of.
pub(crate) fn all() -> &'static DescriptorPool {
    &CALLS
}

/// The method of a path: `/toguna.log.v1.LogService/GetLog`.
pub(super) fn method(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    CALLS.get_service_by_name(service)?.methods().find(|each| each.name() == method)
}

/// A message that our protos define.
pub(crate) fn message(full_name: &str) -> Option<MessageDescriptor> {
    CALLS.get_message_by_name(full_name)
}

/// A message of the details of errors: `google.rpc.ErrorInfo`.
pub(super) fn detail(full_name: &str) -> Option<MessageDescriptor> {
    DETAILS.get_message_by_name(full_name)
}
