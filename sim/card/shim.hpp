// The cards of this process.
#pragma once

namespace espalier::card {

class Card;

/// nullptr: no such card.
Card* card(unsigned index);
unsigned card_count();

}  // namespace espalier::card
