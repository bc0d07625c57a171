#include "border/dispositions.h"

namespace watchpost::border {

Disposition disposition_of(std::string_view setting, Disposition otherwise) {
  return disposition_from(setting).value_or(otherwise);
}

Disposition disposition_of(const Measure& measure) {
  switch (measure.kind) {
    case MeasureKind::notify: return Disposition::accept;
    case MeasureKind::throttle:
    case MeasureKind::hold: return Disposition::tempfail;
    case MeasureKind::suspend:
    case MeasureKind::block: break;
  }
  return Disposition::reject;
}

}  // namespace watchpost::border
