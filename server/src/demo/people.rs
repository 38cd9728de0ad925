//! Who the demo people are. None of them exists, but for the two who are no more.

use super::portrait::HairLength::{self, Long, Short};

/// Someone of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    /// Their id, which is also the name that they sign in with.
    pub(super) id: &'static str,
    /// The display name.
    pub(super) name: &'static str,
    /// What they say of themselves.
    pub(super) headline: &'static str,
    /// How they wear their hair, by and large.
    pub(super) hair: HairLength,
    /// Their complexion, 0 the lightest, 5 the darkest.
    pub(super) complexion: usize,
}

/// Signs in, and has a hundred friends.
pub(super) const ADA: Person = Person {
    id: "ada",
    name: "Ada Lovelace",
    headline: "Notes on the Analytical Engine",
    hair: Long,
    complexion: 0,
};

/// Signs in too, and has other friends.
pub(super) const GRACE: Person = Person {
    id: "grace",
    name: "Grace Hopper",
    headline: "It is easier to ask forgiveness than to get permission",
    hair: Long,
    complexion: 1,
};

/// Those who never had a picture. Among `ada`'s friends they come after the first fifty.
pub(super) const WITHOUT_PICTURE: [&str; 8] = [
    "jasper-de-wit",
    "karim-benali",
    "lorenzo-greco",
    "mohan-pillai",
    "nia-campbell",
    "rosa-lindqvist",
    "ruth-abrams",
    "wendell-price",
];

/// Everyone: the two who sign in, then the others, by name.
pub(super) fn everyone() -> impl Iterator<Item = Person> {
    [ADA, GRACE].into_iter().chain(others())
}

/// Everyone who does not sign in, by name.
pub(super) fn others() -> impl Iterator<Item = Person> {
    OTHERS.into_iter().map(|(id, name, headline, hair, complexion)| Person {
        id,
        name,
        headline,
        hair,
        complexion,
    })
}

/// Id, name, headline, hair, complexion.
const OTHERS: [(&str, &str, &str, HairLength, usize); 126] = [
    ("abel-tesfaye-lind", "Abel Tesfaye-Lind", "Keeps bees on a roof in Malmö", Short, 4),
    ("adaeze-nwosu", "Adaeze Nwosu", "Structural engineer, bridges mostly", Long, 5),
    ("agnes-holm", "Agnes Holm", "Binds books, slowly", Long, 0),
    ("aiko-tanabe", "Aiko Tanabe", "Draws maps of places that are gone", Long, 1),
    ("alba-ferrer", "Alba Ferrer", "Night baker", Long, 2),
    ("aleksander-wolski", "Aleksander Wolski", "Repairs church organs", Short, 0),
    ("amara-okafor", "Amara Okafor", "Potter, and cyclist at weekends", Long, 5),
    ("anders-nyberg", "Anders Nyberg", "Ferry captain", Short, 0),
    ("anjali-rao", "Anjali Rao", "Teaches statistics with dice", Long, 3),
    ("antonio-bellini", "Antonio Bellini", "Luthier in Cremona", Short, 2),
    ("arash-karimi", "Arash Karimi", "Writes compilers and bad poetry", Short, 2),
    ("astrid-moen", "Astrid Moen", "Measures glaciers", Long, 0),
    ("aylin-demir", "Aylin Demir", "Typographer", Long, 2),
    ("beatriz-carvalho", "Beatriz Carvalho", "Marine biologist, mostly wet", Long, 3),
    ("benedikt-huber", "Benedikt Huber", "Makes cheese above 1 800 metres", Short, 0),
    ("bilal-haddad", "Bilal Haddad", "Public transport planner", Short, 3),
    ("bonnie-mcallister", "Bonnie McAllister", "Lighthouse volunteer", Long, 0),
    ("bruno-teixeira", "Bruno Teixeira", "Roasts coffee, drinks tea", Short, 3),
    ("camille-laurent", "Camille Laurent", "Restores old films", Long, 1),
    ("carlos-mendoza", "Carlos Mendoza", "Paediatric nurse", Short, 3),
    ("cecilia-quiroga", "Cecilia Quiroga", "Cellist, second desk", Long, 2),
    ("chidi-eze", "Chidi Eze", "Ethics, and pancakes", Short, 5),
    ("chiyo-matsuda", "Chiyo Matsuda", "Garden designer", Long, 1),
    ("clara-weiss", "Clara Weiss", "Optics lab, room 204", Long, 0),
    ("constance-mbeki", "Constance Mbeki", "Judge, retired", Long, 5),
    ("cosmin-ionescu", "Cosmin Ionescu", "Paints theatre sets", Short, 1),
    ("daniela-popescu", "Daniela Popescu", "Translates from four languages", Long, 1),
    ("darius-petrauskas", "Darius Petrauskas", "Long-distance swimmer", Short, 0),
    ("deepa-krishnan", "Deepa Krishnan", "Radio astronomer", Long, 4),
    ("desmond-clarke", "Desmond Clarke", "Plays trombone in the park", Short, 5),
    ("dina-aziz", "Dina Aziz", "Emergency doctor", Long, 3),
    ("dmitri-sokolov", "Dmitri Sokolov", "Chess by post", Short, 0),
    ("dorothea-lang", "Dorothea Lang", "Beekeeper and notary", Long, 0),
    ("edith-okonkwo", "Edith Okonkwo", "Runs the village library", Long, 5),
    ("eero-lahtinen", "Eero Lahtinen", "Sauna builder", Short, 0),
    ("elena-markova", "Elena Markova", "Figure skating coach", Long, 0),
    ("elif-yilmaz", "Elif Yilmaz", "Ceramic glazes", Long, 2),
    ("emeka-obi", "Emeka Obi", "Sound engineer", Short, 5),
    ("emil-sandberg", "Emil Sandberg", "Bicycle couriers' dispatcher", Short, 0),
    ("esperanza-ruiz", "Esperanza Ruiz", "Seed bank curator", Long, 3),
    ("esther-goldman", "Esther Goldman", "Proofreader", Long, 1),
    ("fabio-conti", "Fabio Conti", "Third-generation barber", Short, 2),
    ("farida-nazari", "Farida Nazari", "Civil engineer", Long, 3),
    ("fatou-diop", "Fatou Diop", "Documentary photographer", Long, 5),
    ("felix-brandt", "Felix Brandt", "Sells used typewriters", Short, 0),
    ("finn-oleary", "Finn O'Leary", "Tunes pianos", Short, 0),
    ("fiona-campbell", "Fiona Campbell", "Peat bog ecologist", Long, 0),
    ("florian-keller", "Florian Keller", "Cable car mechanic", Short, 1),
    ("frida-solberg", "Frida Solberg", "Weaves on a loom from 1890", Long, 0),
    ("gabriel-moreau", "Gabriel Moreau", "Pastry, then more pastry", Short, 2),
    ("georgia-papadaki", "Georgia Papadaki", "Archaeologist, Bronze Age", Long, 2),
    ("giulia-romano", "Giulia Romano", "Restaurant inspector", Long, 2),
    ("gwen-parry", "Gwen Parry", "Sheep, dogs, sonnets", Long, 0),
    ("hana-novak", "Hana Novak", "Paper conservator", Long, 1),
    ("haruto-mori", "Haruto Mori", "Train timetables", Short, 1),
    ("hassan-el-amin", "Hassan El-Amin", "Date farmer", Short, 4),
    ("hedda-berg", "Hedda Berg", "Ski patrol", Long, 0),
    ("henrik-dahl", "Henrik Dahl", "Boat builder", Short, 0),
    ("hye-jin-park", "Hye-jin Park", "Animator", Long, 1),
    ("ibrahim-sesay", "Ibrahim Sesay", "School headmaster", Short, 5),
    ("ilse-vermeer", "Ilse Vermeer", "Tulip breeder", Long, 0),
    ("imani-wanjiru", "Imani Wanjiru", "Runs marathons, slowly", Long, 5),
    ("ines-duarte", "Ines Duarte", "Tile painter", Long, 2),
    ("isak-lund", "Isak Lund", "Weather observer", Short, 0),
    ("ivana-horvat", "Ivana Horvat", "Puppet maker", Long, 1),
    ("jamal-whitfield", "Jamal Whitfield", "Jazz, then accounting", Short, 5),
    ("jana-kovacs", "Jana Kovacs", "Crossword setter", Long, 0),
    ("jasper-de-wit", "Jasper de Wit", "Clock repairs while you wait", Short, 0),
    ("jelena-ilic", "Jelena Ilic", "Volcanologist", Long, 1),
    ("joaquim-sousa", "Joaquim Sousa", "Cork harvester", Short, 3),
    ("jonas-eriksen", "Jonas Eriksen", "Fjord rescue", Short, 0),
    ("josephine-adeyemi", "Josephine Adeyemi", "Paediatrician", Long, 5),
    ("juan-castillo", "Juan Castillo", "Community radio", Short, 3),
    ("judit-szabo", "Judit Szabo", "Water polo referee", Long, 1),
    ("kaito-yamada", "Kaito Yamada", "Knife sharpener", Short, 1),
    ("kalinda-perera", "Kalinda Perera", "Tea taster", Long, 4),
    ("karim-benali", "Karim Benali", "Rebuilds old radios", Short, 3),
    ("katya-orlova", "Katya Orlova", "Ballet répétiteur", Long, 0),
    ("kofi-mensah", "Kofi Mensah", "Cartographer", Short, 5),
    ("lars-hagen", "Lars Hagen", "Keeps the snow ploughs running", Short, 0),
    ("latisha-brown", "Latisha Brown", "Choir director", Long, 5),
    ("leila-hosseini", "Leila Hosseini", "Calligrapher", Long, 2),
    ("leo-fontaine", "Leo Fontaine", "Street magician", Short, 1),
    ("lin-mei", "Lin Mei", "Paper lanterns", Long, 1),
    ("lorenzo-greco", "Lorenzo Greco", "Beekeeper's apprentice", Short, 2),
    ("lucia-navarro", "Lucia Navarro", "Glass blower", Long, 3),
    ("magnus-thorsen", "Magnus Thorsen", "Puffin counter", Short, 0),
    ("mai-nguyen", "Mai Nguyen", "Opens oysters at speed", Long, 2),
    ("malik-johnson", "Malik Johnson", "Paramedic", Short, 5),
    ("marek-zielinski", "Marek Zielinski", "Mushroom guide", Short, 0),
    ("margit-olsen", "Margit Olsen", "Knits lighthouse covers", Long, 0),
    ("mariam-toure", "Mariam Toure", "Solar panels for clinics", Long, 5),
    ("mateo-vargas", "Mateo Vargas", "Mountain guide", Short, 3),
    ("mei-ling-chou", "Mei-Ling Chou", "Microbiologist", Long, 1),
    ("mikkel-juhl", "Mikkel Juhl", "Organ donor coordinator", Short, 0),
    ("mina-farouk", "Mina Farouk", "Subtitles", Long, 3),
    ("mohan-pillai", "Mohan Pillai", "Monsoon forecaster", Short, 4),
    ("nadia-rahimi", "Nadia Rahimi", "Fencing coach", Long, 2),
    ("naoki-sato", "Naoki Sato", "Bonsai, 40 years in", Short, 1),
    ("nia-campbell", "Nia Campbell", "Drums", Long, 5),
    ("niamh-byrne", "Niamh Byrne", "Harp maker", Long, 0),
    ("nikolai-petrov", "Nikolai Petrov", "Ice road driver", Short, 0),
    ("noor-jansen", "Noor Jansen", "Canal pilot", Long, 3),
    ("oksana-bondar", "Oksana Bondar", "Embroidery archive", Long, 0),
    ("olivier-petit", "Olivier Petit", "Sommelier who prefers cider", Short, 1),
    ("omar-farah", "Omar Farah", "Camel vet", Short, 5),
    ("paloma-reyes", "Paloma Reyes", "Flamenco shoes", Long, 3),
    ("pedro-almeida", "Pedro Almeida", "Surf rescue", Short, 3),
    ("petra-svoboda", "Petra Svoboda", "Puzzle designer", Long, 0),
    ("priya-nair", "Priya Nair", "Neonatal nurse", Long, 4),
    ("quentin-roche", "Quentin Roche", "Perfumer", Short, 1),
    ("rafael-ortiz", "Rafael Ortiz", "Bridge painter", Short, 3),
    ("ravi-chandran", "Ravi Chandran", "Model railways, to scale", Short, 4),
    ("rosa-lindqvist", "Rosa Lindqvist", "Orchard keeper", Long, 0),
    ("ruth-abrams", "Ruth Abrams", "Court sketch artist", Long, 1),
    ("salma-idrissi", "Salma Idrissi", "Argan cooperative", Long, 3),
    ("samuel-osei", "Samuel Osei", "Teaches physics outdoors", Short, 5),
    ("sana-malik", "Sana Malik", "Bus driver and novelist", Long, 3),
    ("sigrid-aas", "Sigrid Aas", "Avalanche dogs", Long, 0),
    ("soren-kjaer", "Soren Kjær", "Wind turbine technician", Short, 0),
    ("tariq-mansour", "Tariq Mansour", "Falafel, third generation", Short, 3),
    ("tomas-novotny", "Tomas Novotny", "Restores globes", Short, 0),
    ("valentina-cruz", "Valentina Cruz", "Salsa on Tuesdays", Long, 3),
    ("wendell-price", "Wendell Price", "Steam engines", Short, 4),
    ("yara-haddad", "Yara Haddad", "Olive oil, cold pressed", Long, 2),
    ("zofia-kaminska", "Zofia Kaminska", "Amber workshop", Long, 0),
];
