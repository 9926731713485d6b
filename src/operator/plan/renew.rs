//! Which pod is made anew next, when what pods are made of has changed. The operator decides it, not the StatefulSet
//! controller: that one waits for a member that can't become ready, and goes by numbers.

/// What is seen of a member's pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodAge {
    /// The name of the member.
    pub member: String,
    /// Whether it is in service: its state merged, its configuration loaded.
    pub in_service: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Whether it is made of what is wanted now.
    pub current: bool,
}

/// The member whose pod makes way now; `pods` are in the order of their ordinals. One that is out of service goes at
/// once, since nobody misses it. Others go one by one while all of `wanted` members serve, the first in line last.
pub fn next_to_renew(pods: &[PodAge], wanted: usize) -> Option<&str> {
    let old = || pods.iter().filter(|pod| !pod.current && !pod.terminating);
    if let Some(worst) = old().find(|pod| !pod.in_service) {
        return Some(&worst.member);
    }
    let serving = pods.iter().filter(|pod| pod.in_service && !pod.terminating).count();
    old().next_back().filter(|_| serving >= wanted).map(|pod| pod.member.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_goes_first_and_then_one_by_one_from_the_end() {
        let see = |pods: &[(bool, bool)]| -> Vec<PodAge> {
            let pod = |(ordinal, (in_service, current)): (usize, &(bool, bool))| PodAge {
                member: format!("m-{ordinal}"),
                in_service: *in_service,
                terminating: false,
                current: *current,
            };
            pods.iter().enumerate().map(pod).collect()
        };
        let next = |pods: &[(bool, bool)]| next_to_renew(&see(pods), 3).map(str::to_owned);
        let m = |ordinal: usize| Some(format!("m-{ordinal}"));
        assert_eq!(next(&[(true, true), (true, true), (true, true)]), None);
        assert_eq!(next(&[(true, false), (true, false), (true, false)]), m(2));
        assert_eq!(next(&[(true, false), (true, false), (false, true)]), None, "the new one is not ready yet");
        assert_eq!(next(&[(true, false), (true, false), (true, true)]), m(1));
        assert_eq!(next(&[(true, false), (true, false)]), None, "one is missing");
        assert_eq!(next(&[(false, false), (true, false), (true, false)]), m(0), "a broken one before all others");
        assert_eq!(next(&[(false, false), (true, false), (false, true)]), m(0), "and while another one starts");
        let mut leaving = see(&[(true, false), (true, false), (true, false)]);
        leaving[2].terminating = true;
        assert_eq!(next_to_renew(&leaving, 3), None);
    }
}
