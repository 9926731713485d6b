//! Which pod has to make way for one with the wanted storage. A StatefulSet that was made anew because its volume claims
//! changed adopts the pods it finds, and can neither change their volumes nor get past them.

/// What is seen of a member's pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodStorage {
    /// The name of the member.
    pub member: String,
    /// Whether it is in service.
    pub in_service: bool,
    /// Whether it has the kind of storage that is wanted.
    pub fits: bool,
}

/// The member whose pod is to be deleted now: the first that does not fit, once all `wanted` members are in service but
/// for itself. The first, because a StatefulSet controller does not look past a pod that it cannot change.
pub fn next_to_replace(pods: &[PodStorage], wanted: usize) -> Option<&str> {
    let first = pods.iter().find(|pod| !pod.fits)?;
    let others = pods.iter().filter(|pod| pod.member != first.member && pod.in_service).count();
    (others + 1 >= wanted).then_some(&first.member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_by_one_and_only_while_the_others_serve() {
        let see = |pods: &[(bool, bool)]| -> Vec<PodStorage> {
            let pod = |(ordinal, (in_service, fits)): (usize, &(bool, bool))| PodStorage {
                member: format!("m-{ordinal}"),
                in_service: *in_service,
                fits: *fits,
            };
            pods.iter().enumerate().map(pod).collect()
        };
        assert_eq!(next_to_replace(&see(&[(true, true), (true, true), (true, true)]), 3), None);
        assert_eq!(next_to_replace(&see(&[(true, false), (true, false), (true, false)]), 3), Some("m-0"));
        assert_eq!(next_to_replace(&see(&[(false, true), (true, false), (true, false)]), 3), None);
        assert_eq!(next_to_replace(&see(&[(true, true), (false, false), (true, false)]), 3), Some("m-1"));
        assert_eq!(next_to_replace(&see(&[(true, false), (true, false)]), 3), None);
        assert_eq!(next_to_replace(&see(&[(true, true), (true, true), (true, false)]), 3), Some("m-2"));
    }
}
