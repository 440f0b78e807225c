#include <algorithm>

#include "esp_error.hpp"
#include "plan/planners/planner.hpp"
#include "plan/search/solve.hpp"

namespace espalier::plan {
namespace {

SharedPlan ours(const Problem& problem, const Request& request) { return PreparedProblem(problem).solve(request); }

}  // namespace

const std::vector<Planner>& planners() {
  static const std::vector<Planner> list{
      {"neurosurgeon", "Kang et al., ASPLOS 2017", neurosurgeon},
      {"edgent", "Li, Zhou, Chen, MECOMM 2018, Algorithm 1", edgent},
      {"edgent_dynamic", "in the manner of Li et al., IEEE TWC 2020", edgent_dynamic},
      {"deepthings", "Zhao et al., IEEE TCAD 2018, Algorithm 1", deepthings},
      {"modnn", "Mao et al., DATE 2017", modnn},
      {"cogent", "in the manner of Shan et al., SCN 2020, Algorithm 1", cogent},
      {"deepx", "in the manner of Lane et al., IPSN 2016", deepx},
      {"aofl", "Zhou et al., SEC 2019", aofl},
      {"crime", "in the manner of Jahier Pagliari et al., IEEE TC 2021", crime},
      {"deepslicing", "in the manner of Zhang et al., IEEE TPDS 2021", deepslicing},
      {"adcnn", "in the manner of Zhang et al., ICPP 2020", adcnn},
      {"branchynet", "Teerapittayanon et al., ICPR 2016", branchynet},
      {"dads", "Hu et al., INFOCOM 2019, returns charged", dads},
      {"dads_heavy", "Hu et al., INFOCOM 2019, heavy load", dads_heavy},
      {"qdmp", "S. Zhang et al., IMWUT 2020", qdmp},
      {"jointdnn", "Eshratifar et al., IEEE TMC 2021", jointdnn},
      {"spinn", "in the manner of Laskaridis et al., MobiCom 2020", spinn},
      {"ours", "exact search over exits, cuts, variants and tilings with a certificate", ours},
  };
  return list;
}

SharedPlan run_planner(std::string_view name, const Problem& problem, const Request& request) {
  const std::vector<Planner>& list = planners();
  const auto planner = std::find_if(list.begin(), list.end(), [&](const Planner& one) { return one.name == name; });
  if (planner == list.end())
    throw Error(ErrorCode::Usage, "no such planner", "--planner", std::string(name), "espalier plan --list names them");
  validate(problem);
  SharedPlan plan = planner->plan(problem, request);
  plan.planner = planner->name;
  plan.reference = planner->reference;
  return plan;
}

}  // namespace espalier::plan
