//! Partners.

use contracts::toguna::{
    partnerships::v1::{
        ChangePartnerParentRequest, ChangePartnerParentResponse, EndPartnerRoleRequest, EndPartnerRoleResponse,
        GetPartnerRequest, GetPartnerResponse, ListPartnersRequest, ListPartnersResponse, RegisterPartnerRequest,
        RegisterPartnerResponse, RenamePartnerRequest, RenamePartnerResponse, StartPartnerRoleRequest,
        StartPartnerRoleResponse, partner_service_server::PartnerService,
    },
    r#type::v1 as types,
};
use event_store::Aggregate as _;
use service_runtime::{Fields, Page};
use tonic::{Request, Response, Status};

use super::{MAX_TEXT, Partnerships, citations, day_asked_for, optional_organisation};
use crate::{
    codec::OnWire as _,
    domain::{
        Country, Partner, PartnerCommand,
        partner::{MigrationRole, Names, PartnerKind, Profile},
    },
    projections::PartnerFilter,
};

#[tonic::async_trait]
impl PartnerService for Partnerships {
    async fn register_partner(
        &self,
        request: Request<RegisterPartnerRequest>,
    ) -> Result<Response<RegisterPartnerResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Partner::CATEGORY);
        let profile = Profile {
            kind: fields.enumeration("kind", message.kind, PartnerKind::from_proto),
            names: names(&mut fields, message.names.as_ref(), message.short_names.as_ref()),
            country: country(&mut fields, &message.country_code),
            parent: optional_organisation(&mut fields, "parent", &message.parent),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Partner>(&name, &PartnerCommand::Register(profile.clone()))?;
            citations::require_partners(unit, &profile.parent)
        })
        .await
    }

    async fn rename_partner(
        &self,
        request: Request<RenamePartnerRequest>,
    ) -> Result<Response<RenamePartnerResponse>, Status> {
        self.decide::<Partner, _>(request, |fields, message, _| {
            let name = fields.name("name", &message.name, Partner::CATEGORY);
            let names = names(fields, message.names.as_ref(), message.short_names.as_ref());
            (name, PartnerCommand::Rename(names))
        })
        .await
    }

    async fn change_partner_parent(
        &self,
        request: Request<ChangePartnerParentRequest>,
    ) -> Result<Response<ChangePartnerParentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Partner::CATEGORY);
        let parent = optional_organisation(&mut fields, "parent", &call.message.parent);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Partner>(&name)?;
            let ancestors = match &parent {
                Some(parent) => citations::ancestors(unit, parent)?,
                None => Vec::new(),
            };
            let command = PartnerCommand::ChangeParent { parent: parent.clone(), ancestors, name: name.to_string() };
            unit.handle::<Partner>(&name, &command)
        })
        .await
    }

    async fn start_partner_role(
        &self,
        request: Request<StartPartnerRoleRequest>,
    ) -> Result<Response<StartPartnerRoleResponse>, Status> {
        self.decide::<Partner, _>(request, |fields, message, _| {
            let name = fields.name("name", &message.name, Partner::CATEGORY);
            (name, PartnerCommand::StartRole(fields.enumeration("role", message.role, MigrationRole::from_proto)))
        })
        .await
    }

    async fn end_partner_role(
        &self,
        request: Request<EndPartnerRoleRequest>,
    ) -> Result<Response<EndPartnerRoleResponse>, Status> {
        self.decide::<Partner, _>(request, |fields, message, _| {
            let name = fields.name("name", &message.name, Partner::CATEGORY);
            (name, PartnerCommand::EndRole(fields.enumeration("role", message.role, MigrationRole::from_proto)))
        })
        .await
    }

    async fn get_partner(&self, request: Request<GetPartnerRequest>) -> Result<Response<GetPartnerResponse>, Status> {
        self.calls.log_query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let found = self.find::<Partner>(&message.name, message.as_of.as_ref()).await?;
        let (etag, consistency_token) = (found.etag, found.consistency_token);
        Ok(Response::new(GetPartnerResponse { partner: Some(found.resource), etag, consistency_token }))
    }

    async fn list_partners(
        &self,
        request: Request<ListPartnersRequest>,
    ) -> Result<Response<ListPartnersResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let mut fields = Fields::new();
        let day = day_asked_for(&mut fields, message.as_of.as_ref());
        let kind =
            (message.kind != 0).then(|| fields.enumeration("kind", message.kind, PartnerKind::from_proto).to_proto());
        let country = country(&mut fields, &message.country_code);
        let parent = optional_organisation(&mut fields, "parent", &message.parent);
        let filter = [day.to_string(), message.kind.to_string(), message.country_code, message.parent];
        let filter = filter.each_ref().map(String::as_str);
        let page = Page::read(&mut fields, message.page_size, &message.page_token, &filter);
        fields.finish()?;
        let consistency_token = self.calls.seen(self.log.name());
        let filter = PartnerFilter { kind, country, parent };
        let (partners, next_page_token) = self.read_models.partners(day, &filter, &page).await?;
        Ok(Response::new(ListPartnersResponse { partners, next_page_token, consistency_token }))
    }
}

fn names(fields: &mut Fields, full: Option<&types::LocalizedText>, short: Option<&types::LocalizedText>) -> Names {
    Names {
        full: fields.localized("names", full, MAX_TEXT),
        short: fields.optional_localized("short_names", short, MAX_TEXT),
    }
}

fn country(fields: &mut Fields, code: &str) -> Option<Country> {
    let country = code.parse().ok();
    if !code.is_empty() && country.is_none() {
        fields.violation(
            "country_code",
            ("must be two capitals, as in ISO 3166-1", "doit être deux capitales, comme dans l’ISO 3166-1"),
        );
    }
    country
}
