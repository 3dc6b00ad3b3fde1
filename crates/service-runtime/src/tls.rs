//! TLS: what the server shows, and whom it knows by certificate. The files are looked at again while it runs, so that
//! certificates are exchanged without a restart; connections that are open go on with those that they began with.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};
use tonic::transport::server::Connected;

use crate::reloaded::{Files, Reloaded};

/// How long a client may take to shake hands.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(5);

/// The TLS of a server.
#[derive(Clone)]
pub struct Tls(Arc<Reloaded<ServerConfig>>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// The certificate that a client showed and holds the key of, where it showed one: SHA-256 of its DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientCertificate(pub Option<[u8; 32]>);

impl Tls {
    /// Shows the certificates of one file, the server's own first, with the key of another, all in PEM. Where there is
    /// a file of authorities, clients may show certificates of theirs; they need not. Every problem at once.
    pub(crate) fn open(chain: PathBuf, key: PathBuf, authorities: Option<PathBuf>) -> Result<Self, Vec<String>> {
        let config = Reloaded::open("certificates", move |files| config(files, &chain, &key, authorities.as_deref()))?;
        Ok(Self(Arc::new(config)))
    }

    /// The files, to be looked at again while the server runs.
    pub(crate) fn files(&self) -> &Arc<Reloaded<ServerConfig>> {
        &self.0
    }
}

/// The certificate that was shown on the connection of a call.
pub(crate) fn shown(extensions: &tonic::Extensions) -> Option<[u8; 32]> {
    extensions.get().and_then(|ClientCertificate(hash)| *hash)
}

/// Shakes hands on a new connection, where there is TLS.
pub(crate) async fn secured<S>(tls: Option<Tls>, line: S) -> io::Result<Secured<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(Tls(config)) = tls else { return Ok(Secured::Plain(line)) };
    let shaking = TlsAcceptor::from(config.current()).accept(line);
    let stream = tokio::time::timeout(LONGEST_HANDSHAKE, shaking).await.map_err(|_| io::ErrorKind::TimedOut)??;
    Ok(Secured::Tls(Box::new(stream)))
}

fn config(
    files: &mut Files,
    chain: &Path,
    key: &Path,
    authorities: Option<&Path>,
) -> Result<ServerConfig, Vec<String>> {
    let mut problems = Vec::new();
    let certificates = noted(&mut problems, certificates(files, chain));
    let private = files.read(key).and_then(|pem| {
        PrivateKeyDer::from_pem_slice(&pem).map_err(|error| format!("{} holds no private key: {error}", key.display()))
    });
    let private = noted(&mut problems, private);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = match authorities {
        None => Some(WebPkiClientVerifier::no_client_auth()),
        Some(path) => noted(&mut problems, roots(files, path)).and_then(|roots| {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
            let verifier = verifier.allow_unauthenticated().build();
            noted(&mut problems, verifier.map_err(|error| format!("{}: {error}", path.display())))
        }),
    };
    let (Some(certificates), Some(private), Some(clients)) = (certificates, private, clients) else {
        return Err(problems);
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| vec![error.to_string()])?
        .with_client_cert_verifier(clients)
        .with_single_cert(certificates, private);
    let mut config = config.map_err(|error| vec![format!("{} and {}: {error}", chain.display(), key.display())])?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn noted<T>(problems: &mut Vec<String>, read: Result<T, String>) -> Option<T> {
    read.map_err(|problem| problems.push(problem)).ok()
}

fn certificates(files: &mut Files, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = files.read(path)?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("{} holds no certificate", path.display())),
        Err(error) => Err(format!("{} is no PEM: {error}", path.display())),
    }
}

fn roots(files: &mut Files, path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(files, path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// A connection, with TLS or without.
pub(crate) enum Secured<S> {
    Plain(S),
    Tls(Box<TlsStream<S>>),
}

impl<S> Connected for Secured<S> {
    type ConnectInfo = ClientCertificate;

    fn connect_info(&self) -> ClientCertificate {
        let shown = match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.get_ref().1.peer_certificates().and_then(<[_]>::first),
        };
        ClientCertificate(shown.map(|certificate| Sha256::digest(certificate).into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
