"""Ids and names of the IAB Tech Lab Audience Taxonomy 1.1, as data.

Source: IAB Tech Lab, "Audience Taxonomy 1.1" (github.com/InteractiveAdvertisingBureau/Taxonomies,
"Audience Taxonomies/Audience Taxonomy 1.1.tsv"), licensed under Creative Commons Attribution 3.0
(creativecommons.org/licenses/by/3.0). Changes: reduced to the ids of each category, the names of categories
and the names of some interests; nothing is reworded.

Each tier maps a category (the taxonomy's "Tier 2") to its ids: single ids and inclusive ranges, the first
being the category itself. The id of a tier belongs to no category. Knows nothing of how decisions use an id.
"""

from typing import Final

DEMOGRAPHIC_ID: Final = 1
DEMOGRAPHIC: Final = {
    "Age Range": "2-15",
    "Education & Occupation": "16-47",
    "Gender": "48-52",
    "Household Data": "53-155",
    "Language": "156-158",
    "Marital Status": "159-162",
    "Personal Finance": "163-197",
}

INTEREST_ID: Final = 206
INTEREST: Final = {
    "Academic Interests": "207-242",
    "Automotive": "243-257",
    "Books and Literature": "258-267",
    "Business and Finance": "268-337",
    "Careers": "338-343",
    "Education": "344-347",
    "Family and Relationships": "348 350 352-356",
    "Fine Art": "359-367",
    "Food & Drink": "368-380",
    "Health and Medical Services": "381-383 385-395 397-401 404",
    "Healthy Living": "406-421",
    "Hobbies & Interests": "422-456",
    "Home & Garden": "457-465",
    "Medical Health": "466",
    "Movies": "467-480",
    "Music and Audio": "481-521",
    "News and Politics": "522-533",
    "Personal Finance": "534-540",
    "Pets": "541-549",
    "Pharmaceuticals, Conditions, and Symptoms": "550-551",
    "Pop Culture": "581-582",
    "Real Estate": "583-594",
    "Shopping": "606",
    "Sports": "607-675",
    "Style & Fashion": "676-686",
    "Technology & Computing": "687-705",
    "Television": "706-718",
    "Travel": "719-732",
    "Video Gaming": "733-751",
}

PURCHASE_INTENT_ID: Final = 752
PURCHASE_INTENT: Final = {
    "Apps": "753-778",
    "Arts and Entertainment": "779-804",
    "Automotive Ownership": "805-851",
    "Automotive Products": "852-860",
    "Automotive Services": "861-864",
    "Beauty Services": "865-870",
    "Business and Industrial": "871-918",
    "Clothing and Accessories": "919-934",
    "Collectables and Antiques": "935-941",
    "Consumer Electronics": "942-971",
    "Consumer Packaged Goods": "972-1367",
    "Education and Careers": "1368-1376",
    "Family and Parenting": "1377-1382",
    "Finance and Insurance": "1383-1399",
    "Food and Beverage Services": "1400-1406",
    "Furniture": "1407-1419",
    "Gifts and Holiday Items": "1420-1427",
    "Hardware Supplies": "1428-1447",
    "Health and Medical Services": "1448-1449 1451-1456 1458-1462 1465-1467 1469-1470",
    "Hobbies and Interests": "1471-1475",
    "Home and Garden Services": "1476-1492",
    "Legal Services": "1493-1495",
    "Life Events": "1496-1505",
    "Logistics and Delivery": "1506-1508",
    "Non-Profits": "1538-1544",
    "Office Equipment and Supplies": "1546-1548",
    "Pet Services": "1549-1554",
    "Pharmaceuticals, Conditions, and Symptoms": "1555",
    "Real Estate": "1585-1590",
    "Recreation and Fitness Activities": "1591-1598",
    "Software": "1599-1617",
    "Sporting Goods": "1618-1648",
    "Travel and Tourism": "1649-1675",
    "Web Services": "1676-1679",
}

# First id → names of it and of the ids that follow it. Health, religion, politics, debt, gambling, law and
# children's subjects are left unnamed on purpose: nothing in this project samples or prints them one by one.
INTEREST_NAMES: Final = {
    244: (
        "Auto Buying and Selling|Auto Shows|Auto Technology|Budget Cars|Car Culture|Classic Cars|"
        "Concept Cars|Dash Cam Videos|Driverless Cars|Green Vehicles|Luxury Cars|Motorcycles|"
        "Performance Cars|Scooters"
    ),
    259: "Art and Photography Books|Biographies",
    262: "Comics and Graphic Novels|Cookbooks|Fiction|Poetry|Travel Books|Young Adult Literature",
    339: "Apprenticeships|Career Advice|Career Planning|Remote Working|Vocational Training",
    345: "Adult Education|Language Learning|Online Education",
    360: "Costume|Dance|Design|Digital Arts|Fine Art Photography|Modern Art|Opera|Theater",
    370: "Barbecues and Grilling|Cooking|Desserts and Baking|Dining Out",
    375: (
        "Food Movements|Healthy Cooking and Eating|Non-Alcoholic Beverages|Vegan Diets|Vegetarian Diets|World Cuisines"
    ),
    423: "Antiquing and Antiques|Arts and Crafts",
    434: "Beekeeping|Birdwatching",
    437: "Collecting",
    440: "Content Production",
    445: "Games and Puzzles",
    449: "Genealogy and Ancestry|Magic and Illusion|Model Toys|Musical Instruments",
    454: "Radio Control|Sci-fi and Fantasy|Workshops and Classes",
    458: (
        "Gardening|Home Entertaining|Home Improvement|Interior Decorating|Landscaping|Outdoor Decorating|"
        "Remodeling & Construction|Smart Home"
    ),
    468: (
        "Action and Adventure Movies|Animation Movies|Comedy Movies|Crime and Mystery Movies|"
        "Documentary Movies|Drama Movies"
    ),
    475: ("Fantasy Movies|Horror Movies|Indie and Arthouse Movies|Romance Movies|Science Fiction Movies|World Movies"),
    482: "Adult Album Alternative|Adult Contemporary Music",
    486: "Alternative Music|Blues",
    489: "Classic Hits|Classical Music",
    492: "Comedy (Music and Audio)|Contemporary Hits/Pop/Top 40|Country Music|Dance and Electronic Music",
    497: "Hip Hop Music",
    499: "Jazz|Oldies/Adult Standards|R&B/Soul/Funk|Reggae",
    504: "Rock Music",
    510: "Songwriters/Folk|Soundtracks, TV and Showtunes",
    519: "Urban Contemporary Music|Variety (Music and Audio)|World/International Music",
    525: "International News",
    527: "Local News|National News",
    533: "Weather",
    535: "Frugal Living|Insurance",
    538: "Personal Investing",
    542: "Birds|Cats|Dogs|Fish and Aquariums|Horses and Equine|Large Animals|Pet Adoptions|Reptiles",
    582: "Humor and Satire",
    584: "Apartments",
    587: "Houses",
    589: "Land and Farms",
    591: "Real Estate Buying and Selling|Real Estate Renting and Leasing",
    594: "Vacation Properties",
    608: "American Football|Australian Rules Football|Auto Racing",
    612: ("Badminton|Baseball|Basketball|Beach Volleyball|Bodybuilding|Bowling|Boxing|Cheerleading|College Sports"),
    624: "Cricket|Cycling|Darts",
    628: "Diving|Equine Sports",
    631: "Extreme Sports",
    640: (
        "Fantasy Sports|Field Hockey|Figure Skating|Fishing Sports|Golf|Gymnastics|Hunting and Shooting|"
        "Ice Hockey|Inline Skating|Lacrosse|Martial Arts|Olympic Sports"
    ),
    655: "Rodeo|Rowing|Rugby",
    660: (
        "Sailing|Skiing|Snooker/Pool/Billiards|Soccer|Softball|Sports Equipment|Squash|Swimming|"
        "Table Tennis|Tennis|Track and Field|Volleyball|Walking|Water Polo|Weightlifting|Wrestling"
    ),
    677: "Beauty",
    680: ("Designer Clothing|Fashion Trends|High Fashion|Men's Fashion|Personal Care|Street Style|Women's Fashion"),
    688: "Artificial Intelligence|Augmented Reality|Computing",
    703: "Consumer Electronics|Robotics|Virtual Reality",
    709: (
        "Comedy TV|Drama TV|Factual TV|Holiday TV|Music TV|Reality TV|Science Fiction TV|Soap Opera TV|"
        "Special Interest TV|Sports TV"
    ),
    720: (
        "Adventure Travel|Africa Travel|Asia Travel|Australia and Oceania Travel|Beach Travel|Camping|"
        "Day Trips|Europe Travel|Family Travel|North America Travel|Polar Travel|Road Trips|"
        "South America Travel"
    ),
    734: "Console Games|eSports|Mobile Games|PC Games|Video Game Genres",
}
