//! What stands below the help of a command, in French: what else there is to know, and examples.

/// By the command's path. Where there is none, the English examples say the same.
const CLOSING: &[(&[&str], &str)] = &[
    (
        &["up"],
        "\
DATABASE_URL (un rôle qui peut créer des bases et des rôles) et NATS_URL (un accès qui peut tout, dans un seul compte) le \
dirigent vers des serveurs qui tournent déjà.

Exemples :
  toguna up                            avec le scénario du Mali, chargé dans des journaux vides
  toguna up --empty                    avec les seules listes de référence
  TOGUNA_HOME=/tmp/other toguna up     un autre ensemble à côté",
    ),
    (
        &["people", "invite"],
        "\
La première personne que nomme une organisation est un administrateur ; ensuite un de ses administrateurs le veut, par \
--by. Les rôles qui dépassent les affaires de l’organisation, comme auditor ou secretariat, se donnent là où le fichier \
keys/organisations.toml de l’exploitant le permet. Un jeton pour une personne nommée : toguna token \
ROLE@ORGANISATION --person PERSON.

Exemples :
  toguna people invite head@ml-mmeia --name \"…\" --roles administrator
  toguna people invite officer-1@ml-mmeia --name \"…\" --roles focal_point,contributor --by head",
    ),
    (
        &["people", "revoke"],
        "\
Les jetons déjà signés valent un quart d’heure au plus.

Exemple : toguna people revoke officer-1@ml-mmeia --by head",
    ),
    (
        &["people", "erase"],
        "\
Aucun octet d’aucun journal ne change. Pendant un an, personne d’autre ne reçoit ce nom court ; qui est invité sous un \
autre nom est une autre personne.

Exemple : toguna people erase officer-1@ml-mmeia --by head",
    ),
    (
        &["submit"],
        "\
Une ligne est une commande : la colonne « commande » la nomme, les autres sont des champs de sa requête \
(names.fr.official) ou leurs mots français (noms.fr.officiel). Les lignes sont gardées dans une boîte d’envoi avant de \
partir : le même appel renvoie ce qui n’a pas de réponse, et rien deux fois.

Exemples :
  toguna submit partners.csv --as secretariat@ml-mmeia --offline        ce qui se vérifie sans les services
  toguna submit partners.csv --as secretariat@ml-mmeia --dry-run        ce que feraient les services
  toguna submit partners.csv --as secretariat@ml-mmeia --report partners-report.csv
  toguna submit --resume --as secretariat@ml-mmeia
  toguna submit payments.jsonl --server https://toguna.example --ca ca.pem --token token.txt",
    ),
    (
        &["replay"],
        "\
Un événement par ligne. Avec --json : position, stream, version, type, effective_on, recorded_at, actor, on_behalf_of, \
basis, certainty, sources, reason, request_id, le contenu en JSON de proto3, et ce que l’enregistrement contient d’autre.

Exemples :
  toguna replay disbursements --json > disbursements.jsonl
  toguna replay partnerships --since 2026-11-23T10:00:00Z --follow
  toguna replay disbursements --aggregate decisions --type DecisionApproved --organisation european-commission
  toguna replay disbursements --json --resume-file disbursements.token >> disbursements.jsonl
  toguna replay disbursements --server https://toguna.example --ca ca.pem --token token.txt
  toguna replay disbursements --json | jq -s 'map(select(.type | endswith(\".DecisionApproved\"))) | length'",
    ),
    (
        &["projections", "list"],
        "\
Une projection arrêtée à un événement est nommée avec l’événement et la raison ; la commande échoue alors.

Exemples :
  toguna projections list
  toguna projections list disbursements --json | jq '.disbursements.followers[] | {name, lag_seconds}'",
    ),
    (
        &["projections", "rebuild"],
        "\
Pendant ce temps, la génération qui sert répond aux requêtes. Attend que la nouvelle ait rattrapé le journal ; \
interrompu, ce qui est commencé continue.

Exemples, dans l’ordre où l’on en a besoin :
  toguna projections rebuild disbursements
  toguna projections compare disbursements
  toguna projections switch disbursements
  toguna projections back disbursements         aussitôt, si quelque chose n’allait pas après tout",
    ),
    (
        &["projections", "compare"],
        "\
Chaque ligne différente est montrée avec ce qui diffère et le premier événement qui l’a fait différer. Échoue si des \
lignes diffèrent. Commandes et requêtes continuent pendant ce temps.

Exemples :
  toguna projections compare
  toguna projections compare disbursements --json",
    ),
    (
        &["projections", "switch"],
        "\
La génération qui servait est tenue à jour jusqu’à ce qu’on la supprime ou qu’on en fasse une autre.

Exemples :
  toguna projections switch disbursements
  toguna projections switch disbursements --unchecked      bien qu’elle diffère : c’est la bonne",
    ),
];

/// What stands below the help of a command, from the English.
pub(super) fn closing(path: &[String], english: &str) -> String {
    let french = CLOSING.iter().find(|(known, _)| known.iter().eq(path));
    french.map_or_else(|| english.replace("Examples:", "Exemples\u{202f}:"), |(_, text)| (*text).to_owned())
}
