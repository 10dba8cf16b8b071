//! The acts around a sharing product: begun from an incident or from others, measured, frozen, approved, rendered, signed.
//!
//! ```text
//! submit ─▶ measure (form, names, consent) ─▶ freeze    approve ─▶ measure again ─▶ render ─▶ sign ─▶ store ─▶ read back
//! ```

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId, ProductId};
use shirase_shared::tls::sha256_hex;

use super::{LANG, ReleaseError, Releases};
use crate::contacts::ContactKind;
use crate::exchange::kind::Tlp;
use crate::exchange::package::PackageFile;
use crate::exchange::{OrganisationKind, PackageId};
use crate::facilities::Facility;
use crate::locale::Locale;
use crate::reports::answer::{Answer, NamedPerson};
use crate::reports::fields::Field;
use crate::sharing::{
    Approved, BODY_FILE, Body, Candidate, Candidates, Consent, ConsentError, Indicator, Known,
    Measure, Origin, Product, ProductError, ProductFile, ProductPaper, candidates, merged, offered,
    signed_text, stix,
};
use crate::store::{NewProduct, SharingError, StoreError};

/// Name of the page in a package.
pub const PAGE_FILE: &str = "product.pdf";

impl From<SharingError> for ReleaseError {
    fn from(error: SharingError) -> Self {
        match error {
            SharingError::Refused(refusal) => Self::Product(refusal),
            SharingError::Store(error) => Self::Store(error),
        }
    }
}

impl Releases {
    /// Begins a product of an incident. Nothing is ticked.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn begin_product(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
        by: &NamedPerson,
    ) -> Result<ProductId, ReleaseError> {
        let store = &self.0.store;
        let found = store.incident(facility, incident).await?;
        let drill = found
            .ok_or(StoreError::Missing("incident"))?
            .drill
            .is_some();
        let Candidates { attack, span, .. } = self.incident_offers(facility, incident).await?;
        let widest = self.consent(facility, incident).await?;
        let tlp = widest.map_or(Tlp::Amber, |consent| consent.widest);
        let body = Body { drill, ..Body::new(attack, span, tlp) };
        let new = NewProduct { incident: Some(incident), origins: Vec::new(), body };

        Ok(store
            .begin_product(facility, &new, (by, self.now()))
            .await?)
    }

    /// Begins a product of others that were received.
    ///
    /// # Errors
    /// When one is not there, does not read, or cannot be passed on.
    pub async fn merge_products(
        &self,
        facility: &FacilityId,
        packages: &[PackageId],
        by: &NamedPerson,
    ) -> Result<ProductId, ReleaseError> {
        let origins = self.origins(facility, packages).await?;
        let body = merged(&origins).ok_or(ProductError::NotMergeable)?;
        body.check()?;
        let new = NewProduct { incident: None, origins: packages.to_vec(), body };

        Ok(self
            .0
            .store
            .begin_product(facility, &new, (by, self.now()))
            .await?)
    }

    /// Returns what can be ticked for a product: what its incident or the products it was made from offer, and what
    /// stands in it already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn product_offers(&self, product: &Product) -> Result<Candidates, ReleaseError> {
        let mut offers = match product.incident {
            Some(incident) => match self.incident_offers(&product.facility, incident).await {
                // It was kept long enough; the product stays.
                Err(ReleaseError::Store(StoreError::Missing(_))) => {
                    self.origin_offers(product).await?
                }
                offers => offers?,
            },
            None => self.origin_offers(product).await?,
        };
        let mut all: BTreeMap<Indicator, Candidate> = offers
            .indicators
            .into_iter()
            .map(|one| (one.shared.what.clone(), one))
            .collect();
        for shared in &product.body.indicators {
            let own = Candidate { shared: shared.clone(), count: 0 };
            all.entry(shared.what.clone()).or_insert(own);
        }
        offers.indicators = all.into_values().collect();

        Ok(offers)
    }

    async fn incident_offers(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Candidates, ReleaseError> {
        let store = &self.0.store;
        let found = store.incident(facility, incident).await?;
        let incident = found.ok_or(StoreError::Missing("incident"))?;
        let records = store.incident_records(&incident).await?;
        let sheet = store.incident_sheet(facility, incident.id).await?;

        Ok(candidates(&incident, &records, &sheet.answers))
    }

    async fn origin_offers(&self, product: &Product) -> Result<Candidates, ReleaseError> {
        let origins = self.origins(&product.facility, &product.origins).await?;
        let techniques: BTreeSet<_> = origins
            .iter()
            .flat_map(|origin| origin.body.techniques.iter().copied())
            .collect();
        let indicators = offered(&origins)
            .into_iter()
            .map(|(shared, count)| Candidate { shared, count });
        Ok(Candidates {
            attack: product.body.attack,
            span: product.body.span,
            indicators: indicators.collect(),
            techniques,
        })
    }

    async fn origins(
        &self,
        facility: &FacilityId,
        packages: &[PackageId],
    ) -> Result<Vec<Origin>, ReleaseError> {
        let received = self.0.store.received_products(facility).await?;
        let mut origins = Vec::new();
        for package in packages {
            let found = received.iter().find(|one| one.package == *package);
            let found = found.ok_or(StoreError::Missing("sharing product"))?;
            let body = found.body.clone().map_err(ProductError::Body)?;
            origins.push(Origin { package: package.clone(), body });
        }
        Ok(origins)
    }

    /// Returns whether a facility consents to sharing an incident.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consent(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Result<Consent, ConsentError>, StoreError> {
        let sheet = self.0.store.incident_sheet(facility, incident).await?;
        let answer: Option<&Answer> = sheet.answers.get(&Field::Consent);

        Ok(Consent::of(answer))
    }

    /// Measures a product as it stands: its form, everything the collector knows, and the consent.
    ///
    /// # Errors
    /// Says what has to be done first.
    pub async fn measure_product(
        &self,
        product: &Product,
    ) -> Result<Option<Consent>, ReleaseError> {
        let known = self.known_names(&product.facility).await?;
        let consent = match product.incident {
            Some(incident) => Some(self.consent(&product.facility, incident).await?),
            None => None,
        };
        let origins = self.origins(&product.facility, &product.origins).await?;
        let narrowest = origins.iter().map(|origin| origin.body.tlp).min();
        product.measure(Measure { known: &known, consent: consent.as_ref(), narrowest })?;

        Ok(consent.and_then(Result::ok))
    }

    /// Freezes a draft for a second person.
    ///
    /// # Errors
    /// When it cannot stand, or somebody else changed it meanwhile.
    pub async fn submit_product(
        &self,
        (facility, id, seen): (&FacilityId, ProductId, u32),
        by: &NamedPerson,
    ) -> Result<(), ReleaseError> {
        let product = self.0.store.product(facility, id).await?;
        product.must_be_draft()?;
        let consent = self.measure_product(&product).await?;
        let sha256 = sha256_hex(product.body.text()?.as_bytes());
        let frozen = (sha256.as_str(), consent.as_ref());
        self.0
            .store
            .submit_product((facility, id, seen), frozen, (by, self.now()))
            .await?;

        Ok(())
    }

    /// Approves what was frozen, as a second person: renders, signs and keeps every file, and reads all of it back.
    ///
    /// # Errors
    /// When it waits for nobody, its author would approve it, it cannot stand any more, or it cannot be rendered.
    pub async fn approve_product(
        &self,
        (facility, id): (&FacilityId, ProductId),
        organisation: OrganisationKind,
        by: &NamedPerson,
    ) -> Result<Approved, ReleaseError> {
        let product = self.0.store.product(facility, id).await?;
        product.may_be_approved_by(by.user)?;
        // Somebody may have taken the consent back, or entered a name since.
        self.measure_product(&product).await?;
        let sha256 = product.submitted()?.sha256.clone();
        let now = self.now();
        let files = self
            .product_files((&product, &sha256), organisation, now)
            .await?;
        let key = &self.0.report_key;
        let signed: Vec<ProductFile> = files
            .into_iter()
            .map(|file| {
                let text = signed_text(id, &sha256, &file);
                ProductFile { signature: key.sign_base64(text.as_bytes()), file }
            })
            .collect();
        let signer = key.public_base64();
        self.0
            .store
            .approve_product((facility, id, &sha256), (&signed, &signer), (by, now))
            .await?;
        let approved = self.0.store.approved_product(facility, id).await?;

        Ok(approved.ok_or(ProductError::NotApproved)?)
    }

    async fn product_files(
        &self,
        (product, sha256): (&Product, &str),
        organisation: OrganisationKind,
        at: Timestamp,
    ) -> Result<Vec<PackageFile>, ReleaseError> {
        let body = &product.body;
        let source = stix::Source { product: product.id, body, at, organisation };
        let bundle =
            stix::bundle(source).map_err(|error| StoreError::unreadable("STIX bundle", error))?;
        let paper = ProductPaper::of(body, sha256, Locale::new(LANG));
        let renderer = self.renderer().await?.clone();
        let identity = format!("shirase-sharing {sha256}");
        let work = move || renderer.render_product(&paper, &identity, at);
        let page = tokio::task::spawn_blocking(work)
            .await
            .map_err(ReleaseError::BrokenOff)??;
        let file = |name: &str, bytes| {
            let name = name
                .parse()
                .map_err(|error| StoreError::unreadable("file name", error))?;
            Ok::<_, StoreError>(PackageFile { name, bytes })
        };

        Ok(vec![
            file(BODY_FILE, body.text()?.into_bytes())?,
            file(stix::STIX_FILE, bundle.into_bytes())?,
            file(PAGE_FILE, page)?,
        ])
    }

    /// Gathers everything that names the house, its people, its hosts and whom it has to do with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_names(&self, id: &FacilityId) -> Result<Known, StoreError> {
        let store = &self.0.store;
        let found = store.facility(id).await?;
        let Facility { master, .. } = found.ok_or(StoreError::Missing("facility"))?;
        let mut known = Known {
            places: vec![
                id.to_string(),
                master.name,
                master.founder,
                master.code,
                master.corporate_number,
                master.prefecture,
                master.jurisdiction,
            ],
            addresses: vec![master.address],
            ..Known::default()
        };
        for person in master.people {
            known.people.push(person.name);
            known
                .reach
                .extend([person.phone, person.phone_24h, person.mail]);
        }
        for vendor in master.vendors {
            known.partners.push(vendor.company);
            known.people.push(vendor.person);
            known
                .reach
                .extend([vendor.phone, vendor.phone_24h, vendor.mail]);
        }
        known
            .hosts
            .extend(store.hosts(id).await?.into_iter().map(|host| host.name));
        for (user, _) in store.users().await? {
            known.people.push(user.name);
            known.logins.push(user.login);
        }
        for contact in store.contacts(id).await? {
            let details = contact.details;
            known.people.push(details.person);
            known
                .reach
                .extend([details.phone, details.night_phone, details.fax, details.mail]);
            if !is_national(details.kind) {
                known.partners.push(details.organisation);
            }
        }
        for partner in store.partners(id).await? {
            let cards = std::iter::once(&partner.current).chain(&partner.former);
            for pinned in cards {
                known.partners.push(pinned.card.name.clone());
            }
            if partner.current.card.kind != OrganisationKind::Ceptoar {
                known.places.push(partner.id.to_string());
            }
        }
        for own in store
            .own_cards()
            .await?
            .into_iter()
            .filter(|own| own.facility == *id)
        {
            known.reach.extend(host_of(&own.card.address));
            known.places.push(own.card.name);
        }

        Ok(known)
    }
}

/// Whether a contact is one every hospital of the country has: its name tells nothing.
const fn is_national(kind: ContactKind) -> bool {
    match kind {
        ContactKind::Mhlw
        | ContactKind::Ppc
        | ContactKind::Ipa
        | ContactKind::Jpcert
        | ContactKind::Ceptoar
        | ContactKind::Nco
        | ContactKind::FirstResponse => true,
        ContactKind::Staff
        | ContactKind::Vendor
        | ContactKind::Prefecture
        | ContactKind::Police
        | ContactKind::MedicalAssociation
        | ContactKind::Forensics
        | ContactKind::Insurer
        | ContactKind::Lawyer
        | ContactKind::Partner
        | ContactKind::Foreign
        | ContactKind::Other => false,
    }
}

/// Returns the host of a web address.
fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (host != "localhost").then(|| host.to_owned())
}
