//! What keeps a container from running, in words that stay the same as long as it does: a status is written when they change.

/// So much of what a program said is told.
const WORDS_MAX: usize = 512;

/// How a container of a pod stands, as the kubelet tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerStanding {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Why it waits, as one word, and the same as a sentence.
    pub waits: Option<(String, String)>,
    /// How it ended last, if badly: as one word, and what the program said.
    pub ended: Option<(String, String)>,
}

/// The first trouble of a pod whose containers are these, in the order in which they start.
pub fn first(containers: &[ContainerStanding]) -> Option<String> {
    containers.iter().find_map(|container| {
        let ContainerStanding { name, image, waits, ended } = container;
        let (reason, sentence) = waits.as_ref().map_or(("", ""), |(reason, text)| (reason, text));
        match (reason, ended) {
            // these two take turns
            ("ErrImagePull" | "ImagePullBackOff" | "InvalidImageName", _) => {
                Some(format!("{name}: the image {image} can't be pulled"))
            }
            ("CreateContainerConfigError" | "CreateContainerError" | "RunContainerError", _) => {
                Some(format!("{name}: {}", shortened(sentence)))
            }
            (_, Some((how, said))) => {
                let words = last_words(said);
                Some(format!("{name} ended: {}", if words.is_empty() { how } else { words }))
            }
            _ => None,
        }
    })
}

/// Of what a program said, what it ended with: of several lines the last is the error.
pub fn last_words(said: &str) -> &str {
    shortened(said.trim().lines().next_back().unwrap_or_default())
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(WORDS_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(waits: Option<(&str, &str)>, ended: Option<(&str, &str)>) -> ContainerStanding {
        let owned = |(one, two): (&str, &str)| (one.to_owned(), two.to_owned());
        let (name, image) = ("restore".to_owned(), "am:2".to_owned());
        ContainerStanding { name, image, waits: waits.map(owned), ended: ended.map(owned) }
    }

    #[test]
    fn the_cause_is_told_and_not_how_long_it_is_waited() {
        let of = |waits, ended| first(&[ContainerStanding::default(), container(waits, ended)]).unwrap_or_default();
        assert_eq!(of(None, None), "");
        assert_eq!(of(Some(("PodInitializing", "")), None), "");
        let back_off = Some(("CrashLoopBackOff", "back-off 40s restarting failed container"));
        assert_eq!(of(back_off, Some(("Error", "a\nerror: no bucket\n"))), "restore ended: error: no bucket");
        assert_eq!(of(back_off, Some(("OOMKilled", ""))), "restore ended: OOMKilled");
        let pull = "restore: the image am:2 can't be pulled";
        assert_eq!(of(Some(("ImagePullBackOff", "Back-off pulling")), None), pull);
        assert_eq!(of(Some(("ErrImagePull", "failed to pull")), None), pull);
        assert_eq!(last_words(&"x".repeat(2 * WORDS_MAX)).len(), WORDS_MAX);
        let config = Some(("CreateContainerConfigError", "secret \"s3\" not found"));
        assert_eq!(of(config, None), "restore: secret \"s3\" not found");
    }
}
