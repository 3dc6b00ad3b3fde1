//! Partners.

use contracts::toguna::{
    partnerships::v1::{
        BatchGetPartnersRequest, BatchGetPartnersResponse, ChangePartnerParentRequest, ChangePartnerParentResponse,
        EndPartnerRoleRequest, EndPartnerRoleResponse, GetPartnerRequest, GetPartnerResponse, ListPartnersRequest,
        ListPartnersResponse, RegisterPartnerRequest, RegisterPartnerResponse, RenamePartnerRequest,
        RenamePartnerResponse, StartPartnerRoleRequest, StartPartnerRoleResponse,
        partner_service_server::PartnerService,
    },
    r#type::v1 as types,
};
use event_store::Aggregate as _;
use service_runtime::Fields;
use tonic::{Request, Response, Status};

use super::{MAX_TEXT, Partnerships, as_of, citations, optional_organisation, shown};
use crate::{
    codec::OnWire as _,
    domain::{
        Country, Partner, PartnerCommand,
        partner::{MigrationRole, Names, PartnerKind, Profile},
    },
    projections::PARTNERS,
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
        self.calls.get::<Partner, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_partners(
        &self,
        request: Request<BatchGetPartnersRequest>,
    ) -> Result<Response<BatchGetPartnersResponse>, Status> {
        self.calls.get::<Partner, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_partners(
        &self,
        request: Request<ListPartnersRequest>,
    ) -> Result<Response<ListPartnersResponse>, Status> {
        let mut listing = self.calls.list(request, &PARTNERS).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        as_of(&mut listing, &mut fields, message.as_of.as_ref());
        let kind = fields.optional_enumeration("kind", message.kind, PartnerKind::from_proto);
        listing.narrow("kind", kind.map(|kind| i32::from(kind.to_proto())));
        listing.narrow("country_code", country(&mut fields, &message.country_code).map(Country::code));
        listing.narrow("parent", optional_organisation(&mut fields, "parent", &message.parent));
        fields.finish()?;
        listing.answer(&self.lists).await
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
