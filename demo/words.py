"""Names and places from which people, stores and addresses are made up."""


def _each(words: str) -> tuple[str, ...]:
    return tuple(words.split(" "))


GIRLS = _each(
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Margaret Betty Sandra Ashley "
    "Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Laura Sharon Cynthia Kathleen Amy Angela "
    "Shirley Anna Brenda Pamela Nicole Ruth Katherine Samantha Christine Emma Catherine Virginia Debra Rachel Zoë "
    "Renée Chloé María Sofía Inés Siobhán Thảo Mei Priya Fatima Yuki Ngozi"
)
BOYS = _each(
    "James Robert John Michael David William Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony Mark "
    "Donald Steven Andrew Paul Joshua Kenneth Kevin Brian George Timothy Ronald Jason Edward Jeffrey Ryan Jacob Gary "
    "Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Frank José "
    "André Raúl Seán Łukasz Søren Minh Wei Arjun Omar Hiroshi Chidi"
)
FAMILIES = _each(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson "
    "Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell "
    "Mitchell Carter Roberts O'Brien O'Connor D'Angelo Núñez Peña Müller Sørensen Kowalski Nowak Szabó Dvořák Özdemir "
    "Kim Park Tanaka Chen Wang Patel Singh Khan Okafor Mensah Smith-Jones Van\u00a0Dyke"
)
TOWNS = (
    # town, county, state, zip, latitude, longitude
    ("Albany", "Albany", "NY", "12207", 42.6526, -73.7562),
    ("Buffalo", "Erie", "NY", "14202", 42.8864, -78.8784),
    ("Rochester", "Monroe", "NY", "14604", 43.1566, -77.6088),
    ("Syracuse", "Onondaga", "NY", "13202", 43.0481, -76.1474),
    ("Ithaca", "Tompkins", "NY", "14850", 42.4440, -76.5019),
    ("Hartford", "Hartford", "CT", "06103", 41.7658, -72.6734),
    ("New Haven", "New Haven", "CT", "06510", 41.3083, -72.9279),
    ("Stamford", "Fairfield", "CT", "06901", 41.0534, -73.5387),
    ("Boston", "Suffolk", "MA", "02108", 42.3601, -71.0589),
    ("Worcester", "Worcester", "MA", "01608", 42.2626, -71.8023),
    ("Springfield", "Hampden", "MA", "01103", 42.1015, -72.5898),
    ("Providence", "Providence", "RI", "02903", 41.8240, -71.4128),
    ("Burlington", "Chittenden", "VT", "05401", 44.4759, -73.2121),
    ("Montpelier", "Washington", "VT", "05602", 44.2601, -72.5754),
    ("Concord", "Merrimack", "NH", "03301", 43.2081, -71.5376),
    ("Manchester", "Hillsborough", "NH", "03101", 42.9956, -71.4548),
    ("Portland", "Cumberland", "ME", "04101", 43.6591, -70.2568),
    ("Bangor", "Penobscot", "ME", "04401", 44.8012, -68.7778),
    ("Scranton", "Lackawanna", "PA", "18503", 41.4090, -75.6624),
    ("Allentown", "Lehigh", "PA", "18101", 40.6023, -75.4714),
    ("Newark", "Essex", "NJ", "07102", 40.7357, -74.1724),
    ("Trenton", "Mercer", "NJ", "08608", 40.2206, -74.7597),
)
STREETS = ("Main Street", "Elm Street", "Maple Avenue", "Mill Road", "State Street", "Lake View Drive", "Depot Square")
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 10_2 like Mac OS X) AppleWebKit/602.3.12 Version/10.0 Mobile/14C92",
    "Mozilla/5.0 (Linux; Android 7.0; SM-G930F) AppleWebKit/537.36 Chrome/56.0.2924.87 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/56.0.2924.87 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_12_3) AppleWebKit/602.4.8 Version/10.0.3 Safari/602.4.8",
)
