//! TLS: a certificate and its key from two PEM files, read anew when they change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;

/// How often the files are looked at.
const CHECKED_EVERY: Duration = Duration::from_secs(10);
/// The largest file that is read, in bytes.
const FILE_LIMIT_BYTES: u64 = 1_000_000;

/// The certificate that is shown to clients.
#[derive(Debug, Clone)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    shown: RustlsConfig,
    /// Of what both files held when they were last looked at.
    seen: Arc<Mutex<[u8; 32]>>,
}

/// What both files hold.
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the files that the configuration names; `None` where it names none.
    ///
    /// # Errors
    /// A file that cannot be read or understood, or a key that is another certificate's.
    pub async fn load(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some((certificate, key)) = config.tls() else { return Ok(None) };
        let pem = Pem::read(certificate, key).await?;
        let seen = Arc::new(Mutex::new(pem.digest()));
        let shown = RustlsConfig::from_pem(pem.certificate, pem.key)
            .await
            .with_context(|| format!("in {} and {}", certificate.display(), key.display()))?;
        let (certificate, key) = (certificate.clone(), key.clone());
        Ok(Some(Self { certificate, key, shown, seen }))
    }

    pub(super) fn shown(&self) -> RustlsConfig {
        self.shown.clone()
    }

    /// Shows what the files hold to whoever connects from now on, if that is another certificate;
    /// whether it is. Connections that are open stay.
    ///
    /// # Errors
    /// As [`Self::load`]; the certificate that was shown is shown on. Told once for each change.
    pub async fn reload(&self) -> anyhow::Result<bool> {
        let pem = Pem::read(&self.certificate, &self.key).await?;
        let mut seen = self.seen.lock().await;
        let digest = pem.digest();
        if *seen == digest {
            return Ok(false);
        }
        *seen = digest;
        self.shown.reload_from_pem(pem.certificate, pem.key).await?;
        Ok(true)
    }

    /// Looks at the files every so often, for ever.
    pub async fn keep_current(self) {
        let mut ticks = interval(CHECKED_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.reload().await {
                Ok(true) => tracing::info!("another certificate is shown from now on"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the certificate stays as it is");
                }
            }
        }
    }
}

impl Pem {
    async fn read(certificate: &PathBuf, key: &PathBuf) -> anyhow::Result<Self> {
        Ok(Self { certificate: read(certificate).await?, key: read(key).await? })
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(Sha256::digest(&self.certificate));
        digest.update(Sha256::digest(&self.key));
        digest.finalize().into()
    }
}

async fn read(path: &PathBuf) -> anyhow::Result<Vec<u8>> {
    let what = || format!("cannot read {}", path.display());
    let size = fs::metadata(path).await.with_context(what)?.len();
    anyhow::ensure!(size <= FILE_LIMIT_BYTES, "{} is too large", path.display());
    fs::read(path).await.with_context(what)
}
