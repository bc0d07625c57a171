#pragma once
#include "ingest/source.h"

namespace watchpost::ingest {

// One line for each file beside this one.
extern const SourceKind kPostfixLogSource;
extern const SourceKind kEventsSource;

}  // namespace watchpost::ingest
