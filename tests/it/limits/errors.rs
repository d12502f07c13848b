//! How many errors are told, and how long they are.

use serde_json::json;

use super::{none, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_errors_20_are_told_and_the_last_says_how_many_more_there_are() {
    let app = start("").await;
    let unknown = |count: usize| format!("{{ {} }}", (0..count).map(|n| format!("nothing{n} ")).collect::<String>());
    for (count, last) in [(20, "nothing19"), (21, "2 more errors are left out; 20"), (900, "881 more errors")] {
        let (_, answer) = app.admin().execute(&unknown(count), none()).await;
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 20, "of {count}");
        assert!(errors[19]["message"].as_str().unwrap().contains(last), "{}", errors[19]);
        assert!(errors.iter().all(|error| error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"), "{answer}");
        assert!(answer.get("data").is_none());
    }
    let few = start("errors = 1").await;
    let (_, answer) = few.admin().execute(&unknown(3), none()).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with("3 more errors"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_quotes_no_more_than_someone_reads() {
    let app = start("").await;
    let name = "n".repeat(700);
    for (query, variables) in [
        (format!("{{ {} }}", (0..20).map(|n| format!("{name}{n} ")).collect::<String>()), none()),
        (format!("{{ ...{name} }}"), none()),
        (
            "query($v: ChannelKind!) { engineers(filter: { channel: $v }) { totalCount } }".to_owned(),
            json!({ "v": "名".repeat(9_000) }),
        ),
    ] {
        let (_, answer) = app.admin().execute(&query, variables).await;
        for error in answer["errors"].as_array().unwrap() {
            let length = error["message"].as_str().unwrap().chars().count();
            assert!((1..=501).contains(&length), "{length}");
        }
        assert!(answer.to_string().len() < 65_536);
    }
}
