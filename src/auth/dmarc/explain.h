#pragma once
#include "auth/dmarc/dmarc.h"

#include <string>
#include <vector>

namespace watchpost::auth {

// What was asked for one author domain, what was found and what follows, a sentence each, in the
// order in which it was done: the queries of each walk, then what ended it and the organisational
// domain it gave.
std::vector<std::string> words_of(const DmarcWalk& walk);

// The policy in words: which record counts, what it asks for this domain and why by this tag, how
// identifiers have to align, what is wrong with the record.
std::vector<std::string> policy_in_words(const AuthorVerdict& author);

// Each identifier: whether it is aligned and whether the message passes by it.
std::vector<std::string> alignments_in_words(const AuthorVerdict& author);

}  // namespace watchpost::auth
