//! Copies of the objects of one kind, found by name or by the cluster that they belong to: never a walk through those of
//! all others.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use kube::runtime::reflector::store::WriterDropped;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use crate::plan::LABEL_CLUSTER;

/// A store of objects, and which of them are of which cluster.
#[derive(Clone, Debug)]
pub(crate) struct Copies<K: Resource<DynamicType = ()> + Clone + 'static> {
    pub(super) store: Store<K>,
    index: Index,
}

/// Follows what a watch tells. May name objects that the store doesn't have any more, and one that belongs to another
/// cluster now: both are passed over when they are looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Index(Arc<RwLock<Lists>>);

#[derive(Debug, Default)]
struct Lists {
    current: Names,
    /// While all is read anew, what was read so far.
    coming: Option<Names>,
}

/// The names of a cluster's objects, by namespace and name of the cluster.
type Names = HashMap<(String, String), HashSet<String>>;

impl<K: Resource<DynamicType = ()> + Clone + 'static> Copies<K> {
    /// `index` must be told of each event before `store` is.
    pub(super) const fn new(store: Store<K>, index: Index) -> Self {
        Self { store, index }
    }

    /// Waits until they have been read once.
    ///
    /// # Errors
    /// When nobody will read them any more.
    pub(super) async fn read(&self) -> Result<(), WriterDropped> {
        self.store.wait_until_ready().await
    }

    /// One object.
    pub(crate) fn one(&self, namespace: &str, name: &str) -> Option<K> {
        self.get(namespace, name).map(|object| (*object).clone())
    }

    fn get(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        self.store.get(&ObjectRef::new(name).within(namespace))
    }

    /// All objects of a cluster, by name.
    pub(crate) fn of_cluster(&self, namespace: &str, cluster: &str) -> Vec<K> {
        let mut names = self.index.names(namespace, cluster);
        names.sort_unstable();
        let get = |name: &String| self.get(namespace, name);
        let its = |object: &Arc<K>| object.labels().get(LABEL_CLUSTER).is_some_and(|name| name == cluster);
        names.iter().filter_map(get).filter(its).map(|object| (*object).clone()).collect()
    }
}

impl Index {
    pub(super) fn apply<K: Resource<DynamicType = ()>>(&self, event: &Event<K>) {
        let mut lists = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => lists.coming = Some(Names::new()),
            Event::InitApply(object) => {
                let Some((cluster, name)) = place(object) else { return };
                lists.coming.get_or_insert_default().entry(cluster).or_default().insert(name);
            }
            Event::InitDone => {
                // the store still has its old objects when this is told: those that are gone are passed over
                if let Some(coming) = lists.coming.take() {
                    lists.current = coming;
                }
            }
            Event::Apply(object) => {
                let Some((cluster, name)) = place(object) else { return };
                lists.current.entry(cluster).or_default().insert(name);
            }
            Event::Delete(object) => {
                let Some((cluster, name)) = place(object) else { return };
                if let Some(names) = lists.current.get_mut(&cluster) {
                    names.remove(&name);
                    if names.is_empty() {
                        lists.current.remove(&cluster);
                    }
                }
            }
        }
    }

    fn names(&self, namespace: &str, cluster: &str) -> Vec<String> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let names = lists.current.get(&(namespace.to_owned(), cluster.to_owned()));
        names.into_iter().flatten().cloned().collect()
    }
}

/// The cluster and the name of an object, if it is of a cluster.
fn place<K: Resource<DynamicType = ()>>(object: &K) -> Option<((String, String), String)> {
    let cluster = object.labels().get(LABEL_CLUSTER)?.clone();
    Some(((object.namespace()?, cluster), object.name_any()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::api::core::v1::Pod;
    use kube::core::ObjectMeta;
    use kube::runtime::reflector;

    use super::*;

    /// A watch and what it fills, told of the same events in the same order as in [`super::super::watched`].
    struct Filled {
        objects: Copies<Pod>,
        index: Index,
        writer: reflector::store::Writer<Pod>,
    }

    impl Filled {
        fn new() -> Self {
            let (store, writer) = reflector::store();
            let index = Index::default();
            Self { objects: Copies::new(store, index.clone()), index, writer }
        }

        fn tell(&mut self, event: Event<Pod>) {
            self.index.apply(&event);
            self.writer.apply_watcher_event(&event);
        }

        fn of(&self, cluster: &str) -> Vec<String> {
            self.objects.of_cluster("ns", cluster).iter().map(ResourceExt::name_any).collect()
        }
    }

    fn pod(name: &str, cluster: &str) -> Pod {
        let labels = BTreeMap::from([(LABEL_CLUSTER.to_owned(), cluster.to_owned())]);
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("ns".to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        };
        Pod { metadata, ..Pod::default() }
    }

    #[test]
    fn objects_are_found_by_their_cluster() {
        let mut filled = Filled::new();
        filled.tell(Event::Init);
        filled.tell(Event::InitApply(pod("b-0", "b")));
        filled.tell(Event::InitApply(pod("a-1", "a")));
        filled.tell(Event::InitApply(pod("a-0", "a")));
        filled.tell(Event::InitDone);
        filled.tell(Event::Apply(pod("b-1", "b")));
        filled.tell(Event::Delete(pod("b-0", "b")));
        assert_eq!((filled.of("a"), filled.of("b")), (vec!["a-0".into(), "a-1".into()], vec!["b-1".to_owned()]));
        assert!(filled.objects.of_cluster("elsewhere", "a").is_empty());
    }

    #[test]
    fn what_went_while_nobody_watched_is_not_found() {
        let mut filled = Filled::new();
        filled.tell(Event::Init);
        filled.tell(Event::InitApply(pod("a-0", "a")));
        filled.tell(Event::InitDone);
        filled.tell(Event::Init);
        assert_eq!(filled.of("a"), ["a-0"], "the old ones stay until all is read");
        filled.tell(Event::InitApply(pod("a-1", "a")));
        filled.tell(Event::InitDone);
        assert_eq!(filled.of("a"), ["a-1"]);
        assert_eq!(filled.index.names("ns", "a"), ["a-1"]);
    }

    #[test]
    fn an_object_that_changed_its_cluster_is_found_there_only() {
        let mut filled = Filled::new();
        filled.tell(Event::Init);
        filled.tell(Event::InitDone);
        filled.tell(Event::Apply(pod("p", "a")));
        filled.tell(Event::Apply(pod("p", "b")));
        assert_eq!((filled.of("a"), filled.of("b")), (vec![], vec!["p".to_owned()]));
    }
}
