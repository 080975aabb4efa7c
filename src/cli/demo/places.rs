//! The made-up customers' countries: names, streets, towns, and the forms of postal codes and phone numbers.
//!
//! Phone numbers begin with three zeros after the network's prefix, where no subscriber is. The lists are laid
//! out by hand, since one name a line would be five pages.

/// A country that customers live in.
#[derive(Debug)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// How many of a hundred customers live there.
    pub share: u32,
    /// International prefix and mobile network, such as `+49 151`.
    pub dial: &'static str,
    /// How a postal code goes on after the town's prefix: `#` is a digit, `?` a letter, all else stands for itself.
    pub postal_form: &'static str,
    /// Towns with the prefix of their postal codes.
    pub towns: &'static [(&'static str, &'static str)],
    pub streets: &'static [&'static str],
    /// Whether the house number comes before the street.
    pub number_first: bool,
    pub names: &'static Names,
}

/// Names usual in a country.
#[derive(Debug)]
pub struct Names {
    pub women: &'static [&'static str],
    pub men: &'static [&'static str],
    pub families: &'static [&'static str],
}

/// Every country, the most frequent first; their shares make a hundred.
pub const PLACES: [&Place; 9] = [&GERMANY, &FRANCE, &ITALY, &SPAIN, &NETHERLANDS, &POLAND, &AUSTRIA, &SWEDEN, &IRELAND];

#[rustfmt::skip]
const GERMANY: Place = Place {
    country: "DE",
    share: 34,
    dial: "+49 151",
    postal_form: "###",
    towns: &[
        ("Berlin", "10"), ("Berlin", "12"), ("Hamburg", "20"), ("Hamburg", "22"), ("Hannover", "30"), ("Bielefeld", "33"),
        ("Düsseldorf", "40"), ("Dortmund", "44"), ("Köln", "50"), ("Frankfurt am Main", "60"), ("Saarbrücken", "66"), ("Stuttgart", "70"),
        ("Freiburg", "79"), ("München", "80"), ("Nürnberg", "90"), ("Erfurt", "99"), ("Dresden", "01"), ("Leipzig", "04"),
    ],
    streets: &[
        "Hauptstraße", "Bahnhofstraße", "Gartenweg", "Lindenallee", "Schulstraße", "Am Mühlbach", "Bergstraße", "Kirchplatz", "Rosenweg",
        "Goethestraße", "Wiesengrund", "Ringstraße",
    ],
    number_first: false,
    names: &GERMAN,
};

#[rustfmt::skip]
const FRANCE: Place = Place {
    country: "FR",
    share: 18,
    dial: "+33 6",
    postal_form: "0##",
    towns: &[
        ("Paris", "75"), ("Lyon", "69"), ("Marseille", "13"), ("Toulouse", "31"), ("Nantes", "44"), ("Bordeaux", "33"), ("Lille", "59"),
        ("Rennes", "35"), ("Strasbourg", "67"), ("Nice", "06"), ("Grenoble", "38"), ("Brest", "29"),
    ],
    streets: &[
        "rue de la République", "avenue Victor Hugo", "rue des Lilas", "place du Marché", "rue du Moulin", "chemin des Vignes",
        "boulevard Pasteur", "rue de l'Église",
    ],
    number_first: true,
    names: &FRENCH,
};

#[rustfmt::skip]
const ITALY: Place = Place {
    country: "IT",
    share: 12,
    dial: "+39 347",
    postal_form: "1##",
    towns: &[
        ("Roma", "00"), ("Milano", "20"), ("Torino", "10"), ("Napoli", "80"), ("Bologna", "40"), ("Firenze", "50"), ("Palermo", "90"),
        ("Verona", "37"), ("Bari", "70"), ("Cagliari", "09"),
    ],
    streets: &["Via Roma", "Via Garibaldi", "Corso Italia", "Via Dante", "Piazza San Marco", "Via Verdi", "Viale dei Tigli", "Via Mazzini"],
    number_first: false,
    names: &ITALIAN,
};

#[rustfmt::skip]
const SPAIN: Place = Place {
    country: "ES",
    share: 10,
    dial: "+34 612",
    postal_form: "0##",
    towns: &[
        ("Madrid", "28"), ("Barcelona", "08"), ("Valencia", "46"), ("Sevilla", "41"), ("Zaragoza", "50"), ("Bilbao", "48"),
        ("Málaga", "29"), ("Vigo", "36"), ("Murcia", "30"),
    ],
    streets: &["Calle Mayor", "Calle Real", "Avenida de la Paz", "Calle del Sol", "Paseo del Río", "Calle San Juan", "Plaza Nueva"],
    number_first: false,
    names: &SPANISH,
};

#[rustfmt::skip]
const NETHERLANDS: Place = Place {
    country: "NL",
    share: 9,
    dial: "+31 6",
    postal_form: "## ??",
    towns: &[
        ("Amsterdam", "10"), ("Haarlem", "20"), ("Leiden", "23"), ("Den Haag", "25"), ("Rotterdam", "30"), ("Utrecht", "35"),
        ("Eindhoven", "56"), ("Arnhem", "68"), ("Groningen", "97"),
    ],
    streets: &["Dorpsstraat", "Kerkstraat", "Molenweg", "Stationsweg", "Julianalaan", "Eikenlaan", "Nieuwstraat", "Beatrixstraat"],
    number_first: false,
    names: &DUTCH,
};

#[rustfmt::skip]
const POLAND: Place = Place {
    country: "PL",
    share: 7,
    dial: "+48 512",
    postal_form: "-###",
    towns: &[
        ("Warszawa", "00"), ("Kraków", "30"), ("Łódź", "90"), ("Wrocław", "50"), ("Poznań", "60"), ("Gdańsk", "80"), ("Lublin", "20"),
        ("Szczecin", "70"),
    ],
    streets: &["ul. Polna", "ul. Leśna", "ul. Słoneczna", "ul. Krótka", "ul. Szkolna", "ul. Ogrodowa", "ul. Lipowa"],
    number_first: false,
    names: &POLISH,
};

#[rustfmt::skip]
const AUSTRIA: Place = Place {
    country: "AT",
    share: 5,
    dial: "+43 664",
    postal_form: "##",
    towns: &[("Wien", "10"), ("Wien", "12"), ("Linz", "40"), ("Salzburg", "50"), ("Innsbruck", "60"), ("Graz", "80"), ("Klagenfurt", "90")],
    streets: &["Hauptplatz", "Wiener Straße", "Feldgasse", "Kirchengasse", "Mozartgasse", "Am Anger", "Seestraße"],
    number_first: false,
    names: &GERMAN,
};

#[rustfmt::skip]
const SWEDEN: Place = Place {
    country: "SE",
    share: 3,
    dial: "+46 70",
    postal_form: "# ##",
    towns: &[("Stockholm", "11"), ("Göteborg", "41"), ("Malmö", "21"), ("Uppsala", "75"), ("Västerås", "72"), ("Umeå", "90")],
    streets: &["Storgatan", "Skolgatan", "Kyrkogatan", "Björkvägen", "Ängsvägen", "Drottninggatan"],
    number_first: false,
    names: &SWEDISH,
};

#[rustfmt::skip]
const IRELAND: Place = Place {
    country: "IE",
    share: 2,
    dial: "+353 85",
    postal_form: " ?#?#",
    towns: &[("Dublin", "D02"), ("Dublin", "D08"), ("Cork", "T12"), ("Galway", "H91"), ("Limerick", "V94"), ("Waterford", "X91")],
    streets: &["Main Street", "Church Road", "Chapel Lane", "Harbour View", "Station Road", "The Green"],
    number_first: true,
    names: &IRISH,
};

#[rustfmt::skip]
const GERMAN: Names = Names {
    women: &[
        "Anna", "Birgit", "Carla", "Dorothea", "Elke", "Franziska", "Gisela", "Hannah", "Ingrid", "Jana", "Karin", "Lena", "Monika",
        "Nele", "Petra", "Renate", "Sabine", "Theresa", "Ursula", "Wiebke",
    ],
    men: &[
        "Andreas", "Bernd", "Christian", "Dieter", "Emil", "Felix", "Günter", "Hans-Peter", "Jonas", "Jürgen", "Karl", "Lukas",
        "Matthias", "Niklas", "Otto", "Paul", "Rainer", "Stefan", "Thomas", "Wolfgang",
    ],
    families: &[
        "Albrecht", "Bauer", "Becker", "Brandt", "Dietrich", "Engel", "Fischer", "Fuchs", "Groß", "Hartmann", "Hoffmann", "Jäger",
        "Kaiser", "Keller", "Koch", "Krüger", "Lang", "Lehmann", "Ludwig", "Maier", "Möller", "Müller", "Neumann", "Peters", "Pohl",
        "Richter", "Roth", "Schäfer", "Schmidt", "Schröder", "Schulz", "Sommer", "Vogel", "Wagner", "Weber", "Weiß", "Winter", "Wolf",
        "Ziegler", "Zimmermann",
    ],
};

#[rustfmt::skip]
const FRENCH: Names = Names {
    women: &[
        "Amélie", "Béatrice", "Camille", "Chloé", "Delphine", "Élodie", "Françoise", "Hélène", "Inès", "Jeanne", "Léa", "Manon",
        "Nathalie", "Océane", "Sylvie", "Zoé",
    ],
    men: &[
        "Adrien", "Baptiste", "Clément", "Didier", "Étienne", "François", "Gérard", "Hugo", "Jean-Luc", "Julien", "Louis", "Mathieu",
        "Nicolas", "Olivier", "Philippe", "Théo",
    ],
    families: &[
        "Bernard", "Blanchard", "Chevalier", "Dubois", "Dupont", "Durand", "Fontaine", "Fournier", "Garnier", "Girard", "Lambert",
        "Laurent", "Lefèvre", "Lemoine", "Leroy", "Marchand", "Martin", "Mercier", "Moreau", "Noël", "Perrin", "Petit", "Renaud",
        "Robert", "Roussel", "Simon", "Thomas", "Vidal",
    ],
};

#[rustfmt::skip]
const ITALIAN: Names = Names {
    women: &[
        "Alessia", "Bianca", "Chiara", "Elena", "Federica", "Giulia", "Ilaria", "Lucia", "Martina", "Paola", "Rosa", "Silvia",
        "Valentina",
    ],
    men: &[
        "Alessandro", "Bruno", "Carlo", "Davide", "Enrico", "Francesco", "Giovanni", "Lorenzo", "Luca", "Marco", "Matteo", "Nicolò",
        "Pietro", "Roberto", "Stefano",
    ],
    families: &[
        "Barbieri", "Bianchi", "Bruno", "Caruso", "Colombo", "Conti", "Costa", "De Luca", "Esposito", "Ferrari", "Fontana", "Gallo",
        "Greco", "Lombardi", "Mancini", "Marino", "Moretti", "Ricci", "Rizzo", "Romano", "Rossi", "Russo", "Santoro", "Villa",
    ],
};

#[rustfmt::skip]
const SPANISH: Names = Names {
    women: &["Ana", "Begoña", "Carmen", "Dolores", "Elena", "Inés", "Irene", "Laura", "Lucía", "Marta", "Nuria", "Pilar", "Sofía"],
    men: &["Alejandro", "Álvaro", "Andrés", "Carlos", "Daniel", "Diego", "Javier", "José", "Luis", "Manuel", "Miguel", "Pablo", "Sergio"],
    families: &[
        "Álvarez", "Blanco", "Castro", "Díaz", "Domínguez", "Fernández", "García", "Gómez", "González", "Gutiérrez", "Hernández",
        "Iglesias", "Jiménez", "López", "Martínez", "Molina", "Moreno", "Muñoz", "Navarro", "Núñez", "Ortega", "Pérez", "Ramos", "Rubio",
        "Sánchez", "Torres", "Vega",
    ],
};

#[rustfmt::skip]
const DUTCH: Names = Names {
    women: &["Anouk", "Eva", "Femke", "Fleur", "Hanneke", "Ilse", "Lieke", "Lotte", "Maaike", "Marijke", "Noor", "Sanne", "Willemijn"],
    men: &["Bart", "Daan", "Dirk", "Floris", "Gijs", "Henk", "Jeroen", "Joost", "Kees", "Lars", "Maarten", "Pieter", "Ruben", "Sem"],
    families: &[
        "Bakker", "Bosman", "de Boer", "de Graaf", "de Jong", "de Vries", "Dekker", "Hendriks", "Hoekstra", "Jansen", "Kok", "Kuipers",
        "Meijer", "Mulder", "Peeters", "Postma", "Smit", "van den Berg", "van der Meer", "van Dijk", "van Leeuwen", "Visser", "Vos",
    ],
};

#[rustfmt::skip]
const POLISH: Names = Names {
    women: &["Agnieszka", "Barbara", "Ewa", "Joanna", "Julia", "Katarzyna", "Magdalena", "Małgorzata", "Maria", "Zofia", "Zuzanna"],
    men: &["Adam", "Andrzej", "Jakub", "Jan", "Krzysztof", "Łukasz", "Marek", "Michał", "Paweł", "Piotr", "Stanisław", "Tomasz"],
    families: &[
        "Dąbrowski", "Duda", "Grabowski", "Jabłoński", "Kaczmarek", "Kamiński", "Kowalczyk", "Kowalski", "Król", "Lewandowski", "Mazur",
        "Nowak", "Pawlak", "Piotrowski", "Szymański", "Wieczorek", "Wiśniewski", "Wójcik", "Woźniak", "Zając",
    ],
};

#[rustfmt::skip]
const SWEDISH: Names = Names {
    women: &["Astrid", "Ebba", "Elsa", "Freja", "Ingrid", "Karin", "Linnéa", "Maja", "Sigrid", "Åsa"],
    men: &["Anders", "Axel", "Björn", "Erik", "Gustav", "Johan", "Lars", "Nils", "Oskar", "Sven"],
    families: &[
        "Andersson", "Bergström", "Eriksson", "Gustafsson", "Håkansson", "Johansson", "Karlsson", "Lindberg", "Lindqvist", "Lundgren",
        "Nilsson", "Olsson", "Persson", "Sjöberg", "Svensson", "Åkesson",
    ],
};

#[rustfmt::skip]
const IRISH: Names = Names {
    women: &["Aoife", "Caoimhe", "Ciara", "Emily", "Grace", "Maeve", "Niamh", "Orla", "Róisín", "Saoirse"],
    men: &["Aidan", "Cian", "Conor", "Declan", "Finn", "James", "Liam", "Oisín", "Patrick", "Seán"],
    families: &[
        "Brennan", "Byrne", "Doyle", "Fitzgerald", "Gallagher", "Kelly", "Lynch", "McCarthy", "Murphy", "Nolan", "O'Brien", "O'Connor",
        "O'Sullivan", "Quinn", "Ryan", "Walsh",
    ],
};
