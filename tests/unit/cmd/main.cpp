#define BOOST_TEST_MODULE cmd
#include <boost/test/included/unit_test.hpp>
