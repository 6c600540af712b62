"""A letter to be carried."""

from rempart.telling.message import Letter

LETTER = Letter(
    id="inc-1.1700000000000000.0.duty.mail",
    subject="Rempart, Les Tilleuls : agir maintenant",
    body="Des dossiers de soins sont ouverts en série (Soins).\nOuvrez la page de garde.\n",
    short="Rempart: dossiers ouverts en série (Soins). OK ABCDEF",
    facts={"site": "les-tilleuls", "about": "alert.records", "text": "Care files: “Soins”"},
)
