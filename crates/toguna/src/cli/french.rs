//! The help in French.

mod closing;
mod mistakes;

use clap::{Arg, Command};

use self::closing::closing;
pub(super) use self::mistakes::told;

/// What each command is for, by its path.
const ABOUT: &[(&[&str], &str)] = &[
    (
        &[],
        "Ce que les partenaires de la coopération migratoire ont convenu, promis et payé ; et comment chacun peut le vérifier.",
    ),
    (&["up"], "Lancer son propre ensemble : PostgreSQL, nats-server et les quatre services, jusqu’à Ctrl-C"),
    (&["demo"], "Envoyer le scénario à l’ensemble en marche ; ce qu’il contient déjà n’est pas récrit"),
    (&["token"], "Imprimer un jeton avec lequel appeler les services de l’ensemble en marche"),
    (&["people"], "Dire qui sont les personnes d’une organisation, dans quels rôles, et qui supplée qui"),
    (
        &["people", "invite"],
        "Nommer une personne d’une organisation et ses rôles ; de nouveau, pour les changer ou la faire revenir",
    ),
    (&["people", "delegate"], "Donner le rôle d’une personne absente à une autre, jusqu’à la fin d’un jour"),
    (&["people", "revoke"], "Ne plus laisser de jeton à une personne ; qui la supplée ne la supplée plus"),
    (
        &["people", "erase"],
        "Oublier une personne : les journaux gardent un pseudonyme qui n’est plus le nom de personne",
    ),
    (&["people", "list"], "Qui est dans l’annuaire, dans quels rôles, et qui supplée qui jusqu’à quand"),
    (
        &["people", "changes"],
        "Quel administrateur a changé quoi, et quand ; les personnes y portent le nom que leur donnent les journaux",
    ),
    (
        &["submit"],
        "Envoyer les commandes de tableaux, beaucoup à la fois ; ce qu’une ligne coupée laisse sans réponse repart",
    ),
    (&["replay"], "Imprimer les événements du journal d’un service, dans l’ordre, et vérifier qu’aucun ne manque"),
    (&["report"], "Imprimer un rapport sur les trois journaux, à une date et selon ce qui était connu à un moment"),
    (&["report", "portfolio"], "Ce que les fonds ont décidé, contracté, payé et recouvré pour un pays"),
    (&["report", "chain"], "La chaîne d’un contrat : accords, engagements, décision, contrat, paiements, valeurs"),
    (&["report", "scoreboard"], "Ce qui a été promis dans un cadre, et où cela en est"),
    (&["log"], "Regarder les journaux de l’ensemble en marche et leurs copies dans NATS"),
    (
        &["log", "status"],
        "Où en est chaque journal, et sa copie : tête, époque, ce qui est publié, dernière comparaison des deux",
    ),
    (
        &["log", "refusals"],
        "Ce qui fut refusé faute de permission, par une règle sur les personnes ou par une règle sur l’argent",
    ),
    (&["projections"], "Voir comment suit ce qui est fait des journaux, et le refaire"),
    (
        &["projections", "list"],
        "Chaque projection et réaction avec son retard, et les générations des modèles de lecture",
    ),
    (&["projections", "rebuild"], "Refaire les modèles de lecture à côté de ceux qui servent"),
    (&["projections", "compare"], "Comparer une génération à celle qui sert, ligne par ligne"),
    (&["projections", "switch"], "Répondre aux requêtes depuis une génération qui a été comparée"),
    (&["projections", "back"], "Répondre de nouveau depuis la génération qui servait auparavant"),
    (&["projections", "drop"], "Supprimer une génération qui ne sert pas"),
    (&["show"], "Imprimer une ressource : son état, ses événements, ses sources, et qui a corrigé quoi"),
    (&["archive"], "Vérifier des journaux emportés chez soi, et en tirer des rapports, sans les services"),
    (&["archive", "verify"], "Vérifier chaque événement, tuile, point de contrôle et signature, sans aucun service"),
    (
        &["archive", "report"],
        "Imprimer un rapport tiré des seuls événements de l’archive, une fois qu’ils sont vérifiés",
    ),
    (&["archive", "report", "portfolio"], "Ce que les fonds ont décidé, contracté, payé et recouvré pour un pays"),
    (
        &["archive", "report", "chain"],
        "La chaîne d’un contrat : accords, engagements, décision, contrat, paiements, valeurs",
    ),
    (&["archive", "report", "scoreboard"], "Ce qui a été promis dans un cadre, et où cela en est"),
    (
        &["archive", "prove"],
        "Imprimer la preuve qu’un événement est dans le journal, que vérifie quiconque a la clé du journal et l’événement",
    ),
    (
        &["witness"],
        "Répondre de journaux d’autrui : un témoin qui contresigne ce qui n’a fait que croître, ou le signataire d’un journal à soi",
    ),
    (&["witness", "init"], "Créer le dossier d’un témoin, avec une nouvelle clé, ou celui du signataire de journaux"),
    (
        &["witness", "add-log"],
        "Le laisser signer pour un journal, dont il croit les notes sous ces clés ; de nouveau, pour en ajouter",
    ),
    (
        &["witness", "add-key"],
        "Créer au besoin la clé d’un journal chez un signataire, et imprimer comment on la vérifie",
    ),
    (&["witness", "serve"], "Répondre à qui demande sa signature, jusqu’à Ctrl-C"),
    (&["witness", "status"], "Ce qu’il a signé de chaque journal, quand, et ce qu’il a refusé"),
];

/// What each argument is, by its name; the same in every command.
const ARGUMENTS: &[(&str, &str)] = &[
    ("lang", "Langue de la sortie [par défaut : selon LANG]"),
    ("json", "Imprimer du JSON pour des programmes au lieu de texte"),
    ("once", "S’arrêter de soi-même après le résumé"),
    ("empty", "Ne charger que les listes de référence"),
    ("no_demo", "Ne rien charger"),
    ("caller", "Rôles, séparés par des virgules, et organisation : l’identifiant d’un partenaire"),
    ("person", "Quelle personne de l’organisation ; d’autres personnes sont d’autres yeux"),
    (
        "hours",
        "Durée de validité en heures ; un quart d’heure au plus pour les personnes que leur organisation a nommées",
    ),
    ("who", "Le nom court que l’organisation donne à la personne, et l’organisation : l’identifiant d’un partenaire"),
    ("by", "L’administrateur de l’organisation qui le veut"),
    ("name", "Comment on appelle la personne ; les journaux ne le contiennent jamais"),
    ("roles", "Les rôles, séparés par des virgules"),
    ("role", "Le rôle"),
    ("to", "Qui supplée"),
    ("until", "Le dernier jour, en temps universel"),
    ("of", "L’organisation [par défaut : toutes]"),
    ("service", "Le service : partnerships, commitments ou disbursements"),
    ("from", "Première position [par défaut : 1]"),
    ("since", "Premier événement enregistré à ce moment ou après : 2026-11-23T10:00:00Z, ou un jour"),
    ("refused_since", "Refusé à ce moment ou après : 2026-11-23T10:00:00Z, ou un jour"),
    ("refused_to", "Aux personnes de cette organisation seulement : l’identifiant d’un partenaire"),
    ("limit", "Au plus tant par service, les plus récents [par défaut : 100]"),
    ("stream", "Cette ressource seulement : decisions/…, agreements/…"),
    ("aggregate", "Ce genre de ressource seulement : decisions, agreements, …"),
    ("types", "Les événements de ce type seulement, par son nom ou son nom complet ; peut être répété"),
    (
        "organisation",
        "Les actes de cette organisation seulement, et ce qu’elle a consigné d’autres : l’identifiant d’un partenaire",
    ),
    ("follow", "Rester, et imprimer ce qui est enregistré ensuite"),
    ("resume_file", "Noter dans ce fichier jusqu’où va la relecture, et reprendre là s’il contient quelque chose"),
    ("files", "Tableaux de commandes : CSV, JSON, ou un objet JSON par ligne"),
    ("row_command", "La commande des lignes qui ne nomment pas la leur"),
    ("dry_run", "Dire seulement ce que feraient les services"),
    ("offline", "Vérifier seulement ce qui peut l’être sans les services"),
    ("resume", "N’envoyer que ce qui n’a pas encore de réponse ; sans fichier, tout ce que contient la boîte d’envoi"),
    ("stop_on_refusal", "Ne rien envoyer après une ligne refusée ; les lignes partent alors une à une"),
    ("window", "Combien de lignes sont en route à la fois ; 1 garde l’ordre de tout le fichier"),
    ("patience", "Après combien de secondes sans aucune réponse renoncer pour cette fois"),
    ("report", "Écrire aussi le compte rendu dans ce fichier, en CSV"),
    (
        "outbox",
        "Où garder ce qui est envoyé et répondu [par défaut : dans le dossier de données de l’utilisateur, ou de l’ensemble local]",
    ),
    ("moved", "Continuer avec une boîte d’envoi bien que les services aient changé d’adresse"),
    ("servers", "Où répondent les services : une URL, ou NOM=URL pour chacun [par défaut : l’ensemble local]"),
    ("ca", "Certificats (PEM) par lesquels vérifier les serveurs des URL https://"),
    ("token_file", "Fichier du jeton avec lequel appeler ; relu à chaque appel"),
    ("country", "Le pays : ISO 3166-1 alpha-2"),
    ("fund", "Ce fonds seulement : funds/…"),
    ("contract", "Le contrat : contracts/…"),
    ("framework", "Le cadre : frameworks/…"),
    ("as_of", "Situation au soir de ce jour [par défaut : aujourd’hui]"),
    (
        "known_at",
        "Selon ce qui était connu alors : 2026-11-23T10:00:00Z, ou la fin d’un jour [par défaut : maintenant]",
    ),
    ("csv", "Imprimer du CSV pour des tableurs"),
    ("one", "Le service [par défaut : tous]"),
    ("generation", "Son numéro [par défaut : celle qui est à côté de celle qui sert]"),
    ("no_wait", "Ne pas attendre qu’elle ait rattrapé le journal"),
    ("unchecked", "Même si elle n’a pas été comparée, ou diffère"),
    ("resource", "Son nom : decisions/…, agreements/…, commitments/…"),
    ("archive", "Le dossier"),
    ("policy", "Croire les clés de cette politique au lieu de celles que nomme le dossier"),
    ("position", "La position de l’événement"),
    ("store", "Le dossier où il garde ses clés et sa mémoire"),
    ("witness_name", "Le nom sous lequel il signe : une adresse à soi sans https://, sans espace ni « + »"),
    ("signer", "Signer avec les clés de journaux, sous leurs origines, au lieu d’une clé à lui"),
    ("listen", "Où il répond : hôte et port"),
    (
        "serve_listen",
        "Où il répond : hôte et port ; le port 0 en prend un qui est libre [par défaut : selon witness.toml]",
    ),
    ("ready_file", "Écrire l’adresse dans ce fichier dès qu’il répond"),
    ("origin", "La première ligne des points de contrôle du journal"),
    ("trusted", "Une clé de vérification dont les notes de cette origine sont crues : NOM+ID+CLÉ ; peut être répétée"),
    ("log_key", "Le nom court d’une clé d’un signataire, celle du journal ; créée au besoin [par défaut : log]"),
];

/// What clap adds to every command.
const ADDED: &[(&str, &str)] =
    &[("help", "Afficher l’aide ; --help en dit plus que -h"), ("version", "Afficher la version")];

/// The command that clap adds.
const HELP: &str = "Afficher cette aide, ou celle d’une commande";

const FIRST_STEPS: &str = "\
Pour commencer :
  toguna up                                     son propre ensemble, avec le scénario du Mali
  toguna report portfolio --as-of 2016-04-15    ce qui était décidé pour le Mali ce jour-là
  toguna replay disbursements | less            tous les événements d’un journal, dans l’ordre
  toguna show decisions/t05-eutf-sah-ml-07      une ressource : son état, ses événements, ses sources

L’état est gardé dans le .toguna de ce dossier ou d’un dossier supérieur, ou dans TOGUNA_HOME ; plusieurs ensembles \
peuvent tourner côte à côte.";

const TEMPLATE: &str = "{about-with-newline}\nUtilisation : {usage}\n\n{all-args}{after-help}";

/// The same command line, explained in French.
pub(super) fn translated(command: Command) -> Command {
    let mut command = command.after_help(FIRST_STEPS);
    // What clap adds is there only then.
    command.build();
    below(command, &mut Vec::new())
}

fn below(command: Command, path: &mut Vec<String>) -> Command {
    let about = ABOUT.iter().find(|(known, _)| *known == path.iter().map(String::as_str).collect::<Vec<_>>());
    let mut command = command.help_template(TEMPLATE).subcommand_help_heading("Commandes\u{202f}");
    if let Some((_, about)) = about {
        command = command.about(*about);
    }
    if let Some(examples) = command.get_after_long_help().map(ToString::to_string) {
        command = command.after_long_help(closing(path, &examples));
    }
    command = command.mut_args(explained);
    command.mut_subcommands(|inner| {
        if inner.get_name() == "help" {
            return inner.about(HELP);
        }
        path.push(inner.get_name().to_owned());
        let inner = below(inner, path);
        path.pop();
        inner
    })
}

/// An argument in French, with what clap would say of its values in English.
fn explained(argument: Arg) -> Arg {
    let known = ARGUMENTS.iter().chain(ADDED).find(|(name, _)| argument.get_id().as_str() == *name);
    let list = |values: Vec<String>| Some(values.join(", ")).filter(|_| argument.get_action().takes_values());
    let values = list(argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect());
    let default = list(argument.get_default_values().iter().map(|it| it.to_string_lossy().into_owned()).collect());
    let parts = [
        known.map(|(_, help)| (*help).to_owned()),
        values.filter(|values| !values.is_empty()).map(|values| format!("[{values}]")),
        default.filter(|default| !default.is_empty()).map(|default| format!("[par défaut\u{202f}: {default}]")),
    ];
    let help = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let heading = if argument.is_positional() { "Arguments\u{202f}" } else { "Options\u{202f}" };
    let has_long = argument.get_long_help().is_some();
    let argument = if has_long { argument.long_help(help.clone()) } else { argument };
    argument.help(help).help_heading(heading).hide_possible_values(true).hide_default_value(true)
}

#[cfg(test)]
mod tests;
