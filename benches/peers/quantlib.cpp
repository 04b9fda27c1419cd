// QuantLib's implied volatility and American prices, timed as the rows of the bench are: over the same vectors, in C++,
// without building instruments where the library has a function for it. Prints nanoseconds an option.
//
//     g++ -O3 -march=native -o quantlib quantlib.cpp -lQuantLib
//     ./quantlib ../../core/oracles/implied_vol.csv

#include <ql/exercise.hpp>
#include <ql/instruments/vanillaoption.hpp>
#include <ql/math/comparison.hpp>
#include <ql/pricingengines/blackformula.hpp>
#include <ql/pricingengines/vanilla/qdfpamericanengine.hpp>
#include <ql/processes/blackscholesprocess.hpp>
#include <ql/quotes/simplequote.hpp>
#include <ql/settings.hpp>
#include <ql/termstructures/volatility/equityfx/blackconstantvol.hpp>
#include <ql/termstructures/yield/flatforward.hpp>
#include <ql/time/calendars/nullcalendar.hpp>
#include <ql/time/daycounters/actual365fixed.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ql = QuantLib;

struct Vector {
    ql::Option::Type type;
    double strike, years, vol, price;
};

static std::vector<Vector> read(const char *path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::vector<Vector> vectors;
    while (std::getline(file, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream fields(line);
        std::string type;
        double strike, minutes, percent, price;
        fields >> type >> strike >> minutes >> percent >> price;
        vectors.push_back({type == "C" ? ql::Option::Call : ql::Option::Put, strike, minutes / 525600, percent / 100, price});
    }
    return vectors;
}

// The median of batches, as in the bench: a batch is short, so that most are not interrupted on a busy host.
template <class One> static double median(size_t count, size_t batch, One one) {
    std::vector<double> times;
    for (int pass = 0; pass < 5; ++pass)
        for (size_t first = 0; first + batch <= count; first += batch) {
            auto start = std::chrono::steady_clock::now();
            for (size_t i = first; i < first + batch; ++i)
                one(i);
            std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
            times.push_back(took.count() / double(batch));
        }
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    return times[times.size() / 2];
}

static void implied(const std::vector<Vector> &vectors, double accuracy) {
    size_t failed = 0;
    double worst = 0;
    double ns = median(vectors.size(), 256, [&](size_t i) {
        const auto &v = vectors[i];
        try {
            double total = ql::blackFormulaImpliedStdDev(v.type, v.strike, 3.0, v.price, 1.0, 0.0, ql::Null<double>(),
                                                         accuracy, 1000);
            worst = std::max(worst, std::fabs(total / std::sqrt(v.years) / v.vol - 1));
        } catch (...) {
            ++failed;
        }
    });
    std::printf("QuantLib blackFormulaImpliedStdDev %g: %.0f ns, largest relative error %.1e, %zu failed\n", accuracy, ns,
                worst, failed);
}

static void american() {
    ql::Date today(2, ql::January, 2026);
    ql::Settings::instance().evaluationDate() = today;
    ql::Actual365Fixed count;
    auto engines = std::vector<ql::ext::shared_ptr<ql::VanillaOption>>();
    for (int days : {7, 30, 91, 182, 365})
        for (int strike : {80, 90, 95, 100, 105, 110, 120})
            for (double vol : {0.1, 0.2, 0.35, 0.6})
                for (double rate : {0.015, 0.03, 0.06})
                    for (auto type : {ql::Option::Call, ql::Option::Put}) {
                        ql::Handle<ql::YieldTermStructure> curve(ql::ext::make_shared<ql::FlatForward>(today, rate, count));
                        ql::Handle<ql::BlackVolTermStructure> vols(
                            ql::ext::make_shared<ql::BlackConstantVol>(today, ql::NullCalendar(), vol, count));
                        ql::Handle<ql::Quote> spot(ql::ext::make_shared<ql::SimpleQuote>(100.0));
                        auto process = ql::ext::make_shared<ql::BlackScholesMertonProcess>(spot, curve, curve, vols);
                        auto option = ql::ext::make_shared<ql::VanillaOption>(
                            ql::ext::make_shared<ql::PlainVanillaPayoff>(type, strike),
                            ql::ext::make_shared<ql::AmericanExercise>(today, today + days));
                        option->setPricingEngine(ql::ext::make_shared<ql::QdFpAmericanEngine>(
                            process, ql::QdFpAmericanEngine::fastScheme()));
                        engines.push_back(option);
                    }
    double sum = 0;
    double ns = median(engines.size(), 16, [&](size_t i) {
        engines[i]->recalculate();
        sum += engines[i]->NPV();
    });
    std::printf("QuantLib QdFpAmericanEngine, fast scheme: %.0f ns\n", ns);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        std::fprintf(stderr, "which vectors? give core/oracles/implied_vol.csv\n");
        return 2;
    }
    auto vectors = read(argv[1]);
    implied(vectors, 1e-12);
    implied(vectors, 1e-6);
    american();
}
