#define BOOST_TEST_MODULE image
#include <boost/test/included/unit_test.hpp>
