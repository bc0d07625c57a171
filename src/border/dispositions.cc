#include "border/dispositions.h"

#include <algorithm>

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

Disposition carried_out(Disposition decided, const CarryingOut& how) {
  switch (how.mode) {
    case Mode::off:
    case Mode::shadow: return Disposition::accept;
    case Mode::notify: return std::min(decided, Disposition::tag);
    case Mode::enforce: break;
  }
  if (decided != Disposition::quarantine) return decided;
  switch (how.keeping) {
    case Keeping::taken: return Disposition::quarantine;
    case Keeping::not_now: return Disposition::tempfail;
    case Keeping::never: break;
  }
  if (!how.storing || how.in_place_of_quarantine == Disposition::quarantine) {
    return Disposition::tempfail;
  }
  return how.in_place_of_quarantine;
}

}  // namespace watchpost::border
