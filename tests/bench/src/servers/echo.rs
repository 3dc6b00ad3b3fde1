//! The limit: tonic, and nothing behind it.

use anyhow::Result;
use contracts::toguna::partnerships::v1::RegisterPartnerRequest;
use tonic::{Request, Response, Status, service::Routes};

use crate::wire::{
    Append,
    echo_server::{Echo, EchoServer},
};

struct Echoes;

#[tonic::async_trait]
impl Echo for Echoes {
    async fn append(&self, request: Request<Append>) -> Result<Response<Append>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn register(
        &self,
        request: Request<RegisterPartnerRequest>,
    ) -> Result<Response<RegisterPartnerRequest>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

pub async fn serve() -> Result<()> {
    super::serve(Routes::new(EchoServer::new(Echoes))).await
}
