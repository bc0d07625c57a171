#pragma once
#include "base/settings.h"
#include "config/configuration.h"

namespace watchpost::config {

// Names every setting of the file, in the order people read it.
void describe(SettingsVisitor& visit, Configuration& configuration);

}  // namespace watchpost::config
