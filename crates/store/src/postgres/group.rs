//! Groups of registrations: what waits of one organisation is written in one transaction.
//!
//! At most two groups are written at once, of two organisations: requests of one organisation are
//! carried out in the order in which they came. A single request is written at once; nobody waits for
//! a timer.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use patron_rules::audit::Origin;
use patron_rules::codes::{self, Failure};
use patron_rules::decide::Decision;
use patron_rules::validate::Registration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_postgres::error::SqlState;
use tracing::{Instrument as _, Span, trace_span};

use super::connection::Connection;
use super::failure::{caught, code, is_about_one};
use super::once::Answers;
use super::registration::{keys, register};
use super::transaction::{Aim, WAIT_SHORTLY};
use super::working::Working;
use super::{Inner, lock};
use crate::lanes::Lanes;
use crate::limits::WRITES_WAITING;
use crate::once::{Once, Registered};
use crate::rows::{Row as _, count};
use crate::watch::STAGES;
use crate::{Error, Tenant, TenantId};

/// How many groups are written at once.
pub(super) const AT_ONCE: usize = 2;

/// A request that waits to be registered.
struct Job {
    work: Work,
    reply: oneshot::Sender<Result<Registered, Error>>,
    /// Its part of what may wait, given back before the answer.
    room: OwnedSemaphorePermit,
    /// That it waits.
    queued: Span,
}

/// What a request asks for.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) tenant: Tenant,
    pub(super) registrations: Vec<Registration>,
    pub(super) origin: Origin,
    pub(super) now: Timestamp,
    /// Where it is to be answered once.
    pub(super) once: Option<Once>,
    /// Where in a trace it was asked for.
    pub(super) asked: Span,
}

/// What waits, by organisation.
#[derive(Default)]
struct Waiting {
    lanes: HashMap<TenantId, Lanes<Job>>,
    /// The organisations of which something waits and nothing is being written, in their turn.
    turns: VecDeque<TenantId>,
    /// Those of which a group is being written.
    under_way: HashSet<TenantId>,
    is_closed: bool,
}

impl Waiting {
    fn push(&mut self, job: Job) {
        let tenant = job.work.tenant.id;
        if !self.lanes.contains_key(&tenant) && !self.under_way.contains(&tenant) {
            self.turns.push_back(tenant);
        }
        let lanes = self.lanes.entry(tenant).or_insert_with(Lanes::new);
        lanes.push(job.work.registrations.len(), job);
    }

    /// What is written together next: of one organisation, and of each in its turn.
    fn next_group(&mut self) -> Option<Vec<Job>> {
        let tenant = self.turns.pop_front()?;
        let lanes = self.lanes.get_mut(&tenant)?;
        let group = lanes.next_group();
        if lanes.is_empty() {
            self.lanes.remove(&tenant);
        }
        self.under_way.insert(tenant);
        Some(group)
    }

    /// An organisation's group was written: it is its turn again, after the others.
    fn end(&mut self, tenant: TenantId) {
        self.under_way.remove(&tenant);
        if self.lanes.contains_key(&tenant) {
            self.turns.push_back(tenant);
        }
    }
}

/// What waits to be written.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Somebody waits, or nobody may any more.
    news: Notify,
    /// As many permits as customers may wait.
    room: Arc<Semaphore>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            news: Notify::new(),
            room: Arc::new(Semaphore::new(WRITES_WAITING as usize)),
        }
    }
}

impl Queue {
    /// How many customers wait to be written or are being written.
    pub(super) fn waiting(&self) -> usize {
        (WRITES_WAITING as usize).saturating_sub(self.room.available_permits())
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        lock(&self.waiting).is_closed = true;
        self.news.notify_waiters();
        self.news.notify_one();
    }

    fn enqueue(&self, work: Work) -> Result<oneshot::Receiver<Result<Registered, Error>>, Error> {
        let customers = u32::try_from(work.registrations.len()).unwrap_or(u32::MAX);
        let permits = customers.clamp(1, WRITES_WAITING);
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits);
        let room = room.map_err(|_| Error::Overloaded)?;
        let (reply, answer) = oneshot::channel();
        let queued = trace_span!(target: STAGES, parent: &work.asked, "queue");
        let mut waiting = lock(&self.waiting);
        if waiting.is_closed {
            return Err(Error::Closed);
        }
        waiting.push(Job { work, reply, room, queued });
        drop(waiting);
        self.news.notify_one();
        Ok(answer)
    }

    fn end(&self, tenant: TenantId) {
        lock(&self.waiting).end(tenant);
        self.news.notify_one();
    }

    /// Waits until there is something to do; `None` once nothing comes any more.
    async fn next_group(&self) -> Option<Vec<Job>> {
        loop {
            let news = self.news.notified();
            {
                let mut waiting = lock(&self.waiting);
                if let Some(group) = waiting.next_group() {
                    if !waiting.turns.is_empty() {
                        self.news.notify_one();
                    }
                    return Some(group);
                }
                if waiting.is_closed && waiting.lanes.is_empty() {
                    // Whoever else waits is to see it, too.
                    self.news.notify_one();
                    return None;
                }
            }
            news.await;
        }
    }
}

impl Inner {
    /// Registers what a request asks for, once it was its turn.
    pub(super) async fn register(&self, work: Work) -> Result<Registered, Error> {
        // While the database is away, nobody waits for it.
        if self.groups.is_broken() {
            return Err(Error::Unreachable("it could not be reached a moment ago".into()));
        }
        let answer = self.queue.enqueue(work).inspect_err(|error| self.refused(error))?;
        // Who has no answer by then is told so: it may have been written, or wait for its turn.
        let answer = tokio::time::timeout(self.deadline, answer).await;
        answer.map_err(|_| Error::OutcomeUnknown)?.map_err(|_| Error::Closed)?
    }

    /// Writes one group after the other.
    pub(super) async fn write_until_closed(self: Arc<Self>) {
        while let Some(group) = self.queue.next_group().await {
            let tenant = group.first().map(|job| job.work.tenant.id);
            let (work, waiting): (Vec<Work>, Vec<_>) = group
                .into_iter()
                .map(|Job { work, reply, room, queued }| {
                    drop(queued);
                    (work, (reply, room))
                })
                .unzip();
            let written = self.write(&work).await;
            if let Some(tenant) = tenant {
                self.queue.end(tenant);
            }
            drop(work);
            for ((reply, room), answer) in waiting.into_iter().zip(written) {
                drop(room);
                // A caller that has gone away does not need the answer; what was written stays.
                drop(reply.send(answer));
            }
        }
    }

    /// Writes requests of one organisation in one transaction; each that cannot be written fails
    /// alone.
    async fn write(&self, group: &[Work]) -> Vec<Result<Registered, Error>> {
        match self.write_each(group, Care::Together).await {
            Ok(written) => written,
            // One of them cannot be written, or met a row that is in its way each time; so each is,
            // as far as it can, by itself.
            Err(error) if is_about_one(&error) || (group.len() > 1 && is_conflict(&error)) => {
                let mut written = Vec::with_capacity(group.len());
                for work in group {
                    let alone = self.write_each(std::slice::from_ref(work), Care::EachAlone).await;
                    written.push(alone.and_then(|mut done| done.pop().ok_or(Error::Closed)?));
                }
                written
            }
            Err(Error::OutcomeUnknown) => {
                group.iter().map(|_| Err(Error::OutcomeUnknown)).collect()
            }
            Err(error) => {
                let error = Arc::new(error);
                group.iter().map(|_| Err(Error::NotCommitted(Arc::clone(&error)))).collect()
            }
        }
    }

    async fn write_each(
        &self,
        group: &[Work],
        care: Care,
    ) -> Result<Vec<Result<Registered, Error>>, Error> {
        let Some(first) = group.first() else { return Ok(Vec::new()) };
        let tenant = first.tenant.id;
        let customers = group.iter().map(|work| work.registrations.len()).sum();
        let written =
            self.transact(Aim::group(tenant, group.len(), customers), |connection| async move {
                let (version, answers, mut working) = tokio::try_join!(
                    biased;
                    self.current(&connection, tenant),
                    Answers::load(&connection, tenant, group),
                    self.working(&connection, tenant, group),
                )?;
                working.answers = answers;
                let written = self.carry_out_all(&mut working, group, version, care).await;
                self.ids.give_back(tenant, working.ids);
                written
            });
        // Large, and part of the state of whoever waits for it.
        caught(Box::pin(written)).await.map(|(written, _committing)| written)
    }

    /// What came of each, and what ends when all of it is committed.
    async fn carry_out_all(
        &self,
        working: &mut Working,
        group: &[Work],
        version: u64,
        care: Care,
    ) -> Result<(Vec<Result<Registered, Error>>, Vec<Span>), Error> {
        let mut written = Vec::with_capacity(group.len());
        for work in group {
            let carried_out = self.carry_out(working, work, version, care);
            written.push(match carried_out.instrument(work.asked.clone()).await {
                Err(error) if fails_alone(&error) => Err(error),
                other => Ok(other?),
            });
        }
        let committing = group
            .iter()
            .map(|work| trace_span!(target: STAGES, parent: &work.asked, "commit"))
            .collect();
        working.flush().await?;
        Ok((written, committing))
    }

    /// Carries out a request, unless it was before.
    async fn carry_out(
        &self,
        working: &mut Working,
        work: &Work,
        version: u64,
        care: Care,
    ) -> Result<Registered, Error> {
        if let Some(once) = &work.once
            // What was answered stays so, however the organisation was changed since.
            && let Some(answer) = working.answers.before(once, work.now)?
        {
            return Ok(Registered::Before(answer));
        }
        if work.once.as_ref().is_some_and(|once| !once.may_keep) {
            return Err(Error::AnswersFull);
        }
        if work.tenant.generation != version {
            return Err(Error::Stale);
        }
        let decisions = self.decide(working, work, care).await?;
        let Some(once) = &work.once else {
            return Ok(Registered::Now { decisions, answer: Vec::new(), kept_bytes: 0 });
        };
        let answer = (once.answer)(&decisions);
        let mut kept_bytes = 0;
        if decisions.iter().any(|decision| decision.outcome.is_ok()) {
            kept_bytes = working.answers.keep(once, &answer, work.now);
        }
        Ok(Registered::Now { decisions, answer, kept_bytes })
    }

    /// Decides a request, and gives it back undone.
    pub(super) async fn rehearse(&self, work: &Work) -> Result<Vec<Decision>, Error> {
        let tenant = work.tenant.id;
        self.undo(|connection| async move {
            let group = std::slice::from_ref(work);
            let current = self.current(&connection, tenant);
            let wait = connection.run(WAIT_SHORTLY);
            let working = self.working(&connection, tenant, group);
            let ((), version, mut working) = tokio::try_join!(biased; wait, current, working)?;
            if work.tenant.generation != version {
                return Err(Error::Stale);
            }
            let ids = working.ids.clone();
            let decided = self.decide(&mut working, work, Care::Together).await;
            self.ids.give_back(tenant, ids);
            decided
        })
        .await
    }

    /// The version of what is set up for an organisation, which stays as it is until the end of the
    /// transaction.
    async fn current(&self, connection: &Connection, tenant: TenantId) -> Result<u64, Error> {
        let sql = "SELECT version FROM configuration_version
             WHERE organisation_id = $1 FOR SHARE";
        let read = |row: &tokio_postgres::Row| count(row.number("version")?);
        let found = connection.first(sql, &[&tenant.0], read).await?;
        found.ok_or(Error::NoOrganisation)
    }

    /// What a transaction of these requests knows at first.
    async fn working(
        &self,
        connection: &Connection,
        tenant: TenantId,
        group: &[Work],
    ) -> Result<Working, Error> {
        let count = group.iter().map(|work| work.registrations.len()).sum();
        let ids = self.ids.take(tenant, count).await?;
        let mut working = Working::new(connection.clone(), tenant, ids);
        let keys = group
            .iter()
            .flat_map(|work| keys(&work.registrations, &work.tenant.organisation().settings))
            .collect();
        let loading: Vec<Span> = group
            .iter()
            .map(|work| trace_span!(target: STAGES, parent: &work.asked, "load"))
            .collect();
        let codes = group.iter().flat_map(|work| &work.registrations);
        let codes =
            codes.filter_map(|registration| registration.referral_code.as_deref()).collect();
        // The codes first: whoever has them is loaded with the others.
        let loaded = match working.load_codes(codes).await {
            Ok(()) => working.load(keys).await,
            Err(error) => Err(error),
        };
        drop(loading);
        match loaded {
            Ok(()) => Ok(working),
            Err(error) => {
                self.ids.give_back(tenant, working.ids);
                Err(error)
            }
        }
    }

    async fn decide(
        &self,
        working: &mut Working,
        work: &Work,
        care: Care,
    ) -> Result<Vec<Decision>, Error> {
        let Work { tenant, registrations, origin, now, .. } = work;
        let mut decisions = Vec::with_capacity(registrations.len());
        for registration in registrations {
            decisions.push(match care {
                Care::Together => {
                    register(working, tenant, registration, origin, *now, &self.random).await?
                }
                Care::EachAlone => self.decide_alone(working, work, registration).await?,
            });
        }
        Ok(decisions)
    }

    /// Registers one so that what the database refuses of it is undone alone.
    async fn decide_alone(
        &self,
        working: &mut Working,
        Work { tenant, origin, now, .. }: &Work,
        registration: &Registration,
    ) -> Result<Decision, Error> {
        working.connection.run("SAVEPOINT attempt").await?;
        let before = working.clone();
        let registered = async {
            let decision =
                register(working, tenant, registration, origin, *now, &self.random).await?;
            working.flush().await?;
            Ok(decision)
        };
        match caught(registered).await {
            Ok(decision) => {
                working.connection.run("RELEASE attempt").await?;
                Ok(decision)
            }
            Err(error) if is_about_one(&error) => {
                working.connection.run("ROLLBACK TO attempt").await?;
                *working = before;
                tracing::error!(error = error.chain(), "a customer could not be written");
                Ok(Failure::from(codes::UNEXPECTED_ITEM).into())
            }
            Err(error) => Err(error),
        }
    }
}

/// How a group is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// At once.
    Together,
    /// Customer by customer, so that the database can refuse one alone.
    EachAlone,
}

/// Whether it is said before anything is written, and of one request.
const fn fails_alone(error: &Error) -> bool {
    matches!(error, Error::Stale | Error::KeyReused | Error::AnswersFull)
}

/// Whether a key is taken.
fn is_conflict(error: &Error) -> bool {
    code(error) == Some(&SqlState::UNIQUE_VIOLATION)
}
