//! An edit of the ConfigMap is live on every member at once and restarts none; a broken one reaches none.

use std::time::{Duration, Instant};

use crate::kubectl::{json, kubectl, kubectl_with, pod_json};
use crate::sample::{CONFIG_SECRET, NAMESPACE, Sample};
use crate::wait::{same, stays, until};

#[test]
fn an_edit_is_live_on_all_members_without_a_restart() {
    let sample = Sample::ready();
    let before = sample.settled(3).unwrap();
    let pods = sample.incarnations().unwrap();
    let edited = changed(&sample.config_text(), "repeat_interval:", "repeat_interval: 77m");

    let start = Instant::now();
    sample.edit_config(&edited);
    let hash = until("the edit is live on 3/3 members", || {
        let live = sample.live_hashes()?;
        let new = live.first().filter(|hash| **hash != before).ok_or("the first has the old hash")?.clone();
        same(live, &vec![new.clone(); 3])?;
        Ok(new)
    });
    println!("    an edit took {:.1} s to be live on 3/3 members", start.elapsed().as_secs_f64());
    until("the status says so", || same(sample.settled(3)?, &hash));
    for pod in pods.keys() {
        let status = pod_json(NAMESPACE, pod, "/api/v2/status").unwrap();
        assert!(
            status["config"]["original"].to_string().contains("repeat_interval: 1h17m"),
            "{pod} shows the edit: {status}"
        );
    }
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
}

#[test]
fn a_broken_edit_reaches_no_member_and_its_line_is_told() {
    let sample = Sample::ready();
    let good = sample.config_text();
    let hash = sample.settled(3).unwrap();
    let pods = sample.incarnations().unwrap();
    let secret = || json(&["get", "secret", "-n", NAMESPACE, CONFIG_SECRET])["data"].to_string();
    let generated = secret();

    let broken = changed(&good, "group_wait:", "group_wait: soon");
    let line = 1 + broken.lines().position(|line| line.contains("group_wait: soon")).unwrap();
    sample.edit_config(&broken);
    let told = until("the operator says that the edit is invalid", || {
        let (status, told) = sample.condition("ConfigValid")?;
        same(status, &"False".to_owned())?;
        Ok(told)
    });
    println!("    {told}");
    let at = told.split(|c: char| !c.is_ascii_digit()).any(|number| number == line.to_string());
    assert!(at, "line {line} is named: {told}");
    // a roll-out takes seconds when it is allowed
    stays(
        "the old configuration everywhere",
        &(generated.clone(), Ok(vec![hash.clone(); 3])),
        Duration::from_secs(5),
        || (secret(), sample.live_hashes()),
    );
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");

    sample.edit_config(&good);
    until("the repaired configuration is valid", || same(sample.condition("ConfigValid")?.0, &"True".to_owned()));
    assert_eq!(until("all is as before", || sample.settled(3)), hash);
}

#[test]
fn template_files_come_along_and_an_edit_of_them_is_live_too() {
    let sample = Sample::ready();
    let good = sample.config_text();
    let before = sample.settled(3).unwrap();
    let pods = sample.incarnations().unwrap();
    let put = |text: &str| {
        let map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"pager.tmpl": text},
            "metadata": {"name": "main-templates", "namespace": NAMESPACE}});
        kubectl_with(&map.to_string(), &["apply", "-f", "-"]);
    };
    let refer = |templates: &str| {
        let patch = format!("{{\"spec\": {{\"config\": {{\"templates\": {templates}}}}}}}");
        kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=merge", "-p", &patch]);
    };
    let live = |not: &str| {
        until("it is live on 3/3 members", || {
            let hash = sample.settled(3)?;
            same(hash != *not, &true)?;
            same(sample.live_hashes()?, &vec![hash.clone(); 3])?;
            Ok(hash)
        })
    };
    put("{{ define \"pager.title\" }}one{{ end }}");
    refer("[{\"configMapRef\": {\"name\": \"main-templates\"}}]");
    sample.edit_config(&format!("templates: ['*.tmpl']\n{good}"));
    let one = live(&before);
    put("{{ define \"pager.title\" }}two{{ end }}");
    let two = live(&one);

    put("fine\n{{ define \"pager.title\" }}{{ end");
    let told = until("the operator says that the template is broken", || {
        let (status, told) = sample.condition("ConfigValid")?;
        same(status, &"False".to_owned())?;
        Ok(told)
    });
    assert!(told.contains("`pager.tmpl`, line 2"), "{told}");
    stays("the last good everywhere", &Ok(vec![two; 3]), Duration::from_secs(5), || sample.live_hashes());

    sample.edit_config(&good);
    refer("null");
    assert_eq!(until("all is as before", || same(sample.settled(3)?, &before)), before);
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
    kubectl(&["delete", "-n", NAMESPACE, "configmap", "main-templates"]);
}

/// `text` with the rest of the first line that contains `key`, from there on, replaced by `new`.
fn changed(text: &str, key: &str, new: &str) -> String {
    let start = text.find(key).unwrap_or_else(|| panic!("the sample has no {key}: {text}"));
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let changed = format!("{}{new}{}", &text[..start], &text[end..]);
    assert_ne!(changed, text);
    changed
}
