//! What the decisions about one alert come to now.

use super::Engine;
use super::delivery::{Delivery, Phase};
use super::due::log_key;
use crate::alert::Alert;
use crate::cluster::Cluster;
use crate::config::Integration;
use crate::explain::{Explanation, GroupVerdict, Inhibition, IntegrationVerdict, LastWord, Reason, Said};
use crate::group::Group;
use crate::label::Fingerprint;
use crate::nflog::Entry;
use crate::pipeline::Held;
use crate::time::Timestamp;

impl Engine {
    /// Why an alert notifies, or doesn't, as of `now`; `None` if it isn't known.
    pub(super) fn explain(&mut self, now: Timestamp, fingerprint: Fingerprint) -> Option<Explanation> {
        let number = self.alerts.number(fingerprint)?;
        let slot = self.alerts.get_mut(number)?;
        self.silences.refresh(&slot.alert.labels, &mut slot.silences);
        let slot = self.alerts.get(number)?;
        let (alert, groups) = (slot.alert.clone(), slot.groups.clone());
        let silenced_by = self.silences.active(&slot.silences, now);
        let inhibited_by = self.running.as_ref().and_then(|running| {
            let stages = Self::stages(running, &self.silences);
            let (rule, source) = stages.inhibition(&self.alerts, slot, now)?;
            let by = self.alerts.get(source)?.alert.fingerprint;
            Some(Inhibition { by, rule: running.inhibitor.place_of(rule)?, name: rule.name.clone() })
        });
        let groups = groups.iter().filter_map(|group| self.explain_group(now, *group, number, &alert)).collect();
        let resolved = alert.resolved_at(now);
        Some(Explanation { alert, resolved, silenced_by, inhibited_by, groups })
    }

    fn explain_group(&mut self, now: Timestamp, group: u32, number: u32, alert: &Alert) -> Option<GroupVerdict> {
        let held = self.run_stages(now, group)?.held;
        let running = self.running.as_ref()?;
        let of_group = self.groups.get(group)?;
        let receiver = &running.config.receivers[running.routes.node(of_group.route).receiver];
        let explain = |(place, to): (usize, &Integration)| {
            let key = log_key(&of_group.key, &receiver.name, to);
            let entry = self.nflog.get(&key).map(AsRef::as_ref);
            let delivery = self.deliveries.values().find(|d| d.group == group && d.integration == place);
            IntegrationVerdict {
                integration: to.kind,
                index: to.index,
                reason: self.reason(now, number, alert, of_group, to, &held, entry, delivery),
                last: entry.map(|entry| LastWord { at: entry.timestamp, said: said(entry, alert.log_hash) }),
                history: self.ledger.of(crate::cluster::topic(&key)),
            }
        };
        let integrations = receiver.integrations.iter().enumerate().map(explain).collect();
        let (key, labels) = (of_group.key.clone(), of_group.labels.clone());
        Some(GroupVerdict {
            receiver: receiver.name.clone(),
            key,
            labels,
            next_flush: of_group.next_flush,
            integrations,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "what a decision depends on")]
    fn reason(
        &self,
        now: Timestamp,
        number: u32,
        alert: &Alert,
        group: &Group,
        to: &Integration,
        held: &Held,
        entry: Option<&Entry>,
        delivery: Option<&Delivery>,
    ) -> Reason {
        if held.inhibited.contains(&number) {
            return Reason::Inhibited;
        }
        if !held.intervals.is_empty() {
            return Reason::TimeMuted(held.intervals.clone());
        }
        if held.silenced.contains(&number) {
            return Reason::Silenced;
        }
        if !self.settled {
            return Reason::Settling;
        }
        if let Some(delivery) = delivery {
            return self.under_way(now, delivery);
        }
        let said = entry.map_or(Said::Nothing, |entry| said(entry, alert.log_hash));
        let resolved = alert.resolved_at(now);
        match said {
            Said::Firing if !resolved => Reason::NotChanged,
            Said::Resolved if resolved => Reason::NotChanged,
            _ if resolved && !to.send_resolved => Reason::EndNotWanted,
            Said::Nothing if resolved => Reason::NeverTold,
            _ => Reason::Waits { first: group.flushes == 0 },
        }
    }

    fn under_way(&self, now: Timestamp, delivery: &Delivery) -> Reason {
        let other = self.cluster.as_ref().and_then(|cluster| Cluster::held(cluster, now, delivery.topic));
        match &delivery.phase {
            Phase::Sending(_) | Phase::Reading => Reason::Sending,
            Phase::Waiting(_) | Phase::Backoff(_) if other.is_some() => {
                Reason::OtherMemberSends(other.map(|(by, _)| by.to_owned()).unwrap_or_default())
            }
            Phase::Waiting(until) => Reason::Turn(*until),
            Phase::Backoff(next) => {
                let (attempts, error) = delivery.failures();
                Reason::DeliveryFailed { attempts, next: *next, error }
            }
        }
    }
}

fn said(entry: &Entry, hash: u64) -> Said {
    if entry.is_unsure(hash) {
        Said::Unsure
    } else if entry.firing.binary_search(&hash).is_ok() {
        Said::Firing
    } else if entry.resolved.binary_search(&hash).is_ok() {
        Said::Resolved
    } else {
        Said::Nothing
    }
}
