#pragma once
#include "ingest/source.h"

namespace watchpost::ingest {

// One line for each file beside this one.
extern const SourceKind kMailIntakeSource;
extern const SourceKind kPostfixLogSource;
extern const SourceKind kEventsSource;
extern const SourceKind kPowermtaCsvSource;
extern const SourceKind kKumomtaLogSource;
extern const SourceKind kMaildirSource;
extern const SourceKind kMboxSource;

}  // namespace watchpost::ingest
