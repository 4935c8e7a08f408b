//! A small certificate authority. A certificate's organisational unit is the role, its common name the actor.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::files;

/// The authority of one folder, in which it keeps `ca.pem` and `ca.key` and whatever it certifies.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority of a folder, made if it is not there.
    ///
    /// # Errors
    /// When its files cannot be read or written.
    pub fn open(folder: &Path) -> Result<Self> {
        let (key_file, certificate_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        if key_file.is_file() && certificate_file.is_file() {
            let key = KeyPair::from_pem(&files::read(&key_file)?).context("ca.key is not a key")?;
            return Self::new(folder, key);
        }
        let key = KeyPair::generate()?;
        let certificate = own_parameters()?.self_signed(&key)?;
        files::write(&key_file, &key.serialize_pem())?;
        files::write(&certificate_file, &certificate.pem())?;
        Self::new(folder, key)
    }

    fn new(folder: &Path, key: KeyPair) -> Result<Self> {
        Ok(Self {
            folder: folder.to_path_buf(),
            issuer: Issuer::new(own_parameters()?, key),
        })
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes `<role>.pem` and `<role>.key` (PKCS#8), for servers and clients of this role, over what is there.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn certify(&self, role: &str, actor: &str) -> Result<()> {
        let mut parameters = for_server(&[role, "localhost"])?;
        parameters
            .distinguished_name
            .push(DnType::OrganizationalUnitName, role);
        parameters.distinguished_name.push(DnType::CommonName, actor);
        parameters
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ClientAuth);
        self.write(role, parameters)
    }

    /// Writes `<name>.pem` and `<name>.key` (PKCS#8) for a server that browsers reach by these hosts. It has no role, so
    /// it opens nothing anywhere.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn certify_hosts(&self, name: &str, hosts: &[&str]) -> Result<()> {
        let mut parameters = for_server(hosts)?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        self.write(name, parameters)
    }

    fn write(&self, name: &str, parameters: CertificateParams) -> Result<()> {
        let (certificate, key) = self.issue(parameters)?;
        files::write(&self.file(&format!("{name}.key")), &key)?;
        files::write(&self.file(&format!("{name}.pem")), &certificate)
    }

    fn issue(&self, mut parameters: CertificateParams) -> Result<(String, String)> {
        parameters.use_authority_key_identifier_extension = true;
        live_long(&mut parameters);
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

fn for_server(hosts: &[&str]) -> Result<CertificateParams> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut parameters = CertificateParams::new(hosts)?;
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        parameters.subject_alt_names.push(SanType::IpAddress(address));
    }
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

fn own_parameters() -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Sekisho development authority");
    live_long(&mut parameters);
    Ok(parameters)
}

/// These certificates open nothing but one person's own machine, and must not stop working on a day of their own.
fn live_long(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2100, 1, 1);
}
