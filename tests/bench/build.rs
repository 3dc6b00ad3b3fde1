//! The gRPC services that only benchmarks have: an echo, and the log without anything around it.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        let method = Method::builder().name(name).route_name(route).codec_path("tonic_prost::ProstCodec");
        method.input_type(input).output_type(output).build()
    };
    let (append, register) = ("crate::wire::Append", "contracts::toguna::partnerships::v1::RegisterPartnerRequest");
    let echo = Service::builder()
        .name("Echo")
        .package("bench")
        .comment("Answers with what it was sent.")
        .method(method("append", "Append", append, append))
        .method(method("register", "Register", register, register));
    let bare = Service::builder()
        .name("Bare")
        .package("bench")
        .comment("The log under a server, and nothing else.")
        .method(method("append", "Append", append, "crate::wire::Appended"));
    Builder::new().compile(&[echo.build(), bare.build()]);
}
