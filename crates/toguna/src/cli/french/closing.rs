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
        &["archive", "verify"],
        "\
Le dossier est celui que publie un service (checkpoint, checkpoints.jsonl, policy, tile/…), ou un dossier de tels \
dossiers. Échoue si quelque chose est faux, et nomme la première position ou le premier fichier, et ce qui y est faux.

Sans --policy, les clés crues sont celles que nomme le dossier lui-même : cela montre qu’il est complet et cohérent, pas \
de qui il est. Une politique à soi (C2SP tlog-policy) nomme les clés que les gouvernements vous ont données.

Exemples :
  toguna archive verify archive
  toguna archive verify archive --policy temoins.policy
  toguna archive verify archive/disbursements/0f… --json | jq '.[0].faults'",
    ),
    (
        &["archive", "report"],
        "\
Les chiffres sont ceux de toguna report, faits selon les mêmes règles d’événements vérifiés ici.

Exemples :
  toguna archive report archive portfolio --as-of 2016-04-15
  toguna archive report archive chain contracts/t05-eutf-sah-ml-07-02 --json",
    ),
    (
        &["archive", "prove"],
        "\
La preuve est un tlog-proof de C2SP : la place de l’événement, les empreintes qui mènent de lui à la racine, et le point \
de contrôle signé.

Exemple : toguna archive prove archive/disbursements/0f… 17 > 17.tlog-proof",
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
    (
        &["witness", "init"],
        "\
Un témoin signe de sa propre clé ce qu’il a vu de journaux d’autrui : leur taille et la racine de leur arbre, à un moment. \
Un signataire (--signer) signe avec les clés de journaux à soi, et demande la même preuve : ce que garde leur service peut \
être volé ou restauré d’une sauvegarde, et n’obtient pourtant pas de signature sous une seconde histoire. Gardez-les sur \
des machines à eux.

Ce que contient le dossier : witness.toml (le nom, où il répond), keys/ (lisibles par leur seul propriétaire ; \
sauvegardez-les là où personne ne les lit), logs/ (pour quels journaux il signe, et de qui il croit les notes), state/ (ce \
qu’il a signé en dernier de chacun : sa mémoire, qu’aucune sauvegarde ne rend), evidence/ (ce qu’il a refusé).

Exemples :
  toguna witness init --store /srv/witness --name witness.example/migration
  toguna witness init --store /srv/signer --signer --listen 127.0.0.1:8449",
    ),
    (
        &["witness", "add-key"],
        "\
Les services et les témoins apprennent la clé avant que soit connue l’origine du journal. Une clé survit aux époques de \
son journal.

Exemple : toguna witness add-key disbursements --store /srv/signer > disbursements.vkey",
    ),
    (
        &["witness", "add-log"],
        "\
Un témoin croit les notes que signe la clé du journal, un signataire celles que signe la clé de dépôt de son service. \
L’origine est la première ligne des points de contrôle du journal. Un journal restauré qui commence une nouvelle époque a \
une nouvelle origine : avant de l’ajouter, demandez à ceux qui tiennent le journal ce qu’est devenue l’ancienne.

Un témoin qui tourne n’a pas à être arrêté. La clé de vérification imprimée va dans la politique du journal (un témoin) ou \
chez les témoins (un signataire). En cas d’urgence, on raye une clé du fichier du journal dans logs/.

Exemples :
  toguna witness add-log toguna.example/disbursements/0f… --store /srv/witness --trust \"$(cat log.vkey)\"
  toguna witness add-log toguna.example/disbursements/0f… --store /srv/signer --key disbursements \\
      --trust \"$(cat submission.vkey)\"",
    ),
    (
        &["witness", "serve"],
        "\
En HTTP, comme le veut tlog-witness de C2SP : POST /add-checkpoint, et GET /ID/checkpoint pour ce qu’il a signé en \
dernier, où ID est le SHA-256 de l’origine en hexadécimal. Il ne parle pas TLS : un serveur devant lui le fait, ou il reste \
dans un réseau privé.

Ce qu’il signe est sur le disque avant qu’il réponde. Une note que son journal a signée et qui contredit ce que sait le \
témoin est refusée, et gardée dans evidence/ avec ce qui était su : deux signatures d’une même clé sous deux histoires sont \
une preuve pour chacun. Un dossier dont la mémoire est perdue n’est pas servi ; son nom doit être retiré, et un nouveau \
témoin prend sa place.

Exemples :
  toguna witness serve --store /srv/witness
  toguna witness serve --store /srv/witness --listen 127.0.0.1:0 --ready-file /run/witness.ready",
    ),
    (
        &["witness", "status"],
        "\
Lit le dossier, aussi pendant que le témoin tourne. Échoue si le dossier ne peut être servi.

Exemples :
  toguna witness status --store /srv/witness
  toguna witness status --store /srv/witness --json | jq '.logs[] | {origin, size, root}'
  jq -r .request evidence/ID/HASH.json                   dans le dossier : la requête refusée, octet par octet",
    ),
];

/// What stands below the help of a command, from the English.
pub(super) fn closing(path: &[String], english: &str) -> String {
    let french = CLOSING.iter().find(|(known, _)| known.iter().eq(path));
    french.map_or_else(|| english.replace("Examples:", "Exemples\u{202f}:"), |(_, text)| (*text).to_owned())
}
