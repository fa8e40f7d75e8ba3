//! Broken documents.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::compile;
use super::steps::{document, rule};
use crate::steer::Steering;

#[test]
fn broken_documents_say_what_and_where() {
    let error = |change: &dyn Fn(&mut Value)| {
        let mut document = document(json!([]));
        change(&mut document);
        compile(&document.to_string(), &[]).unwrap_err().to_string()
    };
    let steps = |steps: Value| error(&|document| document["policies"][0]["steps"] = steps.clone());
    let geo = |rules: Value| steps(json!([{"step": "geo", "mode": "prefer", "rules": rules}]));
    assert!(error(&|d| d["colour"] = 1.into()).contains("colour"));
    assert!(steps(json!([{"step": "nearest"}])).contains("nearest"));
    assert!(steps(json!([{"step": "weighted", "by": "load"}])).contains("by"));
    assert_eq!(
        steps(json!([{"step": "take", "count": 65}])),
        "s.yaml:9: policy near: take 65 is out of range: write 1 to 64"
    );
    assert_eq!(
        steps(json!(vec![json!({"step": "weighted"}); 65])),
        "s.yaml:9: 65 steps in one policy, at most 64 are possible"
    );
    assert_eq!(
        geo(json!([rule("asn", "x", &[], 12)])),
        "s.yaml:12: policy near: \"x\" is not an AS number: write 0 to 4294967295, such as 64500"
    );
    assert_eq!(
        geo(json!([rule("default", "", &[9], 12)])),
        "s.yaml:12: policy near: there is no POP or pool with the unit number 9"
    );
    assert_eq!(
        geo(json!([rule("country", "DE", &[0], 12), rule("country", "de", &[1], 15)])),
        "s.yaml:15: policy near: two rules of one step are for DE (also at s.yaml:12): remove one"
    );
    assert_eq!(
        error(&|d| d["pools"][0]["endpoints"][0]["address"] = "fra".into()),
        "s.yaml:3: pool web: \"fra\" is not an IPv4 or IPv6 address"
    );
    assert_eq!(
        error(&|d| d["names"][0]["name"] = "www".into()),
        "s.yaml:20: steered name www: the name is relative: end it with a dot"
    );
    assert_eq!(
        error(&|d| d["names"][0]["pool"] = 7.into()),
        "s.yaml:20: steered name WWW.example.com.: there is no pool 7"
    );
    let of_name = |name: Value| error(&|d| d["names"][0] = name.clone());
    assert_eq!(
        of_name(json!({"name": "a.", "reflect": "best", "pool": 0, "ttl": 1, "file": "s.yaml", "line": 20})),
        "s.yaml:20: steered name a.: a name that reflects has no pool and no policy"
    );
    assert_eq!(
        of_name(json!({"name": "a.", "ttl": 1})),
        "steered name a.: it has neither a pool nor anything to reflect"
    );
    assert!(of_name(json!({"name": "a.", "reflect": "all", "ttl": 1})).contains("unknown variant `all`"));
    assert!(error(&|d| d["pops"][3]["latitude"] = 1.0.into()).contains("together"));
    assert!(error(&|d| d["pops"][0]["latitude"] = 91.0.into()).contains("POP fra"));
    assert!(error(&|d| d["latency"][0]["milliseconds"] = (-1).into()).contains("out of range"));
    let database = Steering::compile(
        &json!({"databases": ["/nonexistent/city.mmdb"], "pops": [], "pools": [], "policies": [], "names": []})
            .to_string(),
    );
    assert!(
        database
            .unwrap_err()
            .to_string()
            .starts_with("the geo database /nonexistent/city.mmdb cannot be read")
    );
}
