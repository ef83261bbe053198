//! Many users and groups, as the lists of a config file: every user with 3 rules and 5 groups, every group with 20 rules.

use std::fmt::Write;

const GROUPS_OF_A_USER: usize = 5;
const RULES_OF_A_GROUP: usize = 20;

/// The lists below `access:`.
pub fn lists(users: usize, groups: usize) -> String {
    let mut text = String::from("  iam_users:\n");
    for user in 0..users {
        let names: Vec<String> =
            (0..GROUPS_OF_A_USER).map(|n| format!("group-{}", (user * 7 + n * 13) % groups)).collect();
        // Writing into a text never fails.
        let _ = writeln!(
            text,
            "    - name: user-{user}\n      access_key_id: {}\n      secret_access_key: secret-of-user-{user:06}\n      groups: [{}]\n      permissions:",
            access_key_id(user),
            names.join(", ")
        );
        for resource in
            [format!("home/user-{user}/*"), format!("team-{}/*", user % 500), "shared-*/public/*".to_owned()]
        {
            let _ = writeln!(text, "        - {{effect: Allow, actions: [read, list], resources: [\"{resource}\"]}}");
        }
    }
    text.push_str("  iam_groups:\n");
    for group in 0..groups {
        let _ = writeln!(text, "    - name: group-{group}\n      permissions:");
        for rule in 0..RULES_OF_A_GROUP {
            let effect = if rule % 10 == 9 { "Deny" } else { "Allow" };
            let _ = writeln!(
                text,
                "        - {{effect: {effect}, actions: [read, write], resources: [\"bucket-{group}-{rule}/*/data/*\"]}}"
            );
        }
    }
    text
}

/// A user's access key id.
pub fn access_key_id(user: usize) -> String {
    format!("AKBENCH{user:010}")
}
